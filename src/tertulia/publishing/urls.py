from django.urls import path

from . import views

app_name = "publishing"

_POST = "b/<slug:brand>/posts/<int:post_id>/"
_DELIVERY = "b/<slug:brand>/posts/deliveries/<int:posting_id>/"

urlpatterns = [
    path("b/<slug:brand>/posts/", views.show_posts, name="posts"),
    path("b/<slug:brand>/posts/beginning/", views.begin, name="beginning"),
    path("b/<slug:brand>/posts/stop/", views.stop, name="stop"),
    path("b/<slug:brand>/posts/stop/removal/", views.resume, name="stop_removal"),
    path(_POST, views.show_post, name="post"),
    path(f"{_POST}text/", views.save, name="text"),
    path(f"{_POST}schedule/", views.schedule, name="schedule"),
    path(f"{_POST}publication/", views.publish_now, name="publication"),
    path(f"{_POST}cancellation/", views.cancel, name="cancellation"),
    path(f"{_POST}deletion/", views.delete, name="deletion"),
    path(f"{_DELIVERY}retry/", views.retry, name="retry"),
    path(f"{_DELIVERY}decision/", views.decide, name="decision"),
    path(f"{_DELIVERY}completion/", views.complete, name="completion"),
    path("b/<slug:brand>/media/", views.add_media, name="media"),
    path("b/<slug:brand>/media/<int:media_id>/", views.show_media, name="media_file"),
]
