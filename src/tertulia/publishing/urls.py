from django.urls import path

from .views import acts, calendar, composer, library

app_name = "publishing"

_POST = "b/<slug:brand>/posts/<int:post_id>/"
_MEDIA = "b/<slug:brand>/media/<int:media_id>/"
_DELIVERY = "b/<slug:brand>/posts/deliveries/<int:posting_id>/"

urlpatterns = [
    path("b/<slug:brand>/posts/", calendar.show, name="posts"),
    path("b/<slug:brand>/posts/beginning/", composer.begin, name="beginning"),
    path("b/<slug:brand>/posts/beginning/draft/", composer.keep_new_draft, name="new_draft"),
    path("b/<slug:brand>/posts/beginning/draft/removal/", composer.discard_new_draft, name="new_draft_removal"),
    path("b/<slug:brand>/posts/stop/", acts.stop, name="stop"),
    path("b/<slug:brand>/posts/stop/removal/", acts.resume, name="stop_removal"),
    path(_POST, calendar.show_post, name="post"),
    path(f"{_POST}text/", composer.change, name="text"),
    path(f"{_POST}draft/", composer.keep_draft, name="draft"),
    path(f"{_POST}draft/removal/", composer.discard_draft, name="draft_removal"),
    path(f"{_POST}time/", calendar.move, name="time"),
    path(f"{_POST}schedule/", acts.schedule, name="schedule"),
    path(f"{_POST}publication/", acts.publish_now, name="publication"),
    path(f"{_POST}cancellation/", acts.cancel, name="cancellation"),
    path(f"{_POST}deletion/", acts.delete, name="deletion"),
    path(f"{_DELIVERY}retry/", acts.retry, name="retry"),
    path(f"{_DELIVERY}decision/", acts.decide, name="decision"),
    path(f"{_DELIVERY}completion/", acts.complete, name="completion"),
    path("b/<slug:brand>/media/", library.show, name="media"),
    path(_MEDIA, library.show_file, name="media_file"),
    path(f"{_MEDIA}small/", library.show_small, name="media_small"),
    path(f"{_MEDIA}details/", library.show_one, name="media_page"),
    path(f"{_MEDIA}shape/", library.reshape, name="media_shape"),
    path(f"{_MEDIA}replacement/", library.replace, name="media_replacement"),
    path(f"{_MEDIA}removal/", library.remove, name="media_removal"),
]
