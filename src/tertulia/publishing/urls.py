from django.urls import path

from .views import acts, calendar, composer, exchange, initiatives, series

app_name = "publishing"

_POST = "b/<slug:brand>/posts/<int:post_id>/"
_DELIVERY = "b/<slug:brand>/posts/deliveries/<int:posting_id>/"

_SERIES = "b/<slug:brand>/posts/series/<int:series_id>/"
_EVERGREEN = "b/<slug:brand>/posts/evergreen/<int:evergreen_id>/"
_INITIATIVE = "b/<slug:brand>/posts/actions/<int:initiative_id>/"
_IMPORT = "b/<slug:brand>/posts/imports/<int:brought_id>/"

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
    path("b/<slug:brand>/posts/series/", series.show_all, name="recurring"),
    path("b/<slug:brand>/posts/series/beginning/", series.begin, name="series_beginning"),
    path(_SERIES, series.change, name="series"),
    path(f"{_SERIES}skips/", series.skip, name="skips"),
    path(f"{_SERIES}skips/removal/", series.take_up, name="skip_removal"),
    path(f"{_SERIES}end/", series.end, name="series_end"),
    path(f"{_POST}evergreen/", series.pool, name="evergreen_beginning"),
    path(_EVERGREEN, series.change_evergreen, name="evergreen"),
    path(f"{_EVERGREEN}repetitions/", series.repeat, name="repetitions"),
    path(f"{_EVERGREEN}removal/", series.unpool, name="evergreen_removal"),
    path("b/<slug:brand>/posts/actions/beginning/", initiatives.begin, name="initiative_beginning"),
    path(_INITIATIVE, initiatives.change, name="initiative"),
    path(f"{_INITIATIVE}completion/", initiatives.finish, name="initiative_completion"),
    path(f"{_INITIATIVE}completion/removal/", initiatives.reopen, name="initiative_completion_removal"),
    path(f"{_INITIATIVE}removal/", initiatives.remove, name="initiative_removal"),
    path("b/<slug:brand>/posts/exchange/", exchange.show, name="exchange"),
    path("b/<slug:brand>/posts/export/", exchange.export, name="export"),
    path("b/<slug:brand>/posts/imports/", exchange.bring, name="imports"),
    path(_IMPORT, exchange.show_import, name="import"),
    path(f"{_IMPORT}beginning/", exchange.start, name="import_beginning"),
    path(f"{_IMPORT}problems/", exchange.problems, name="import_problems"),
    path("b/<slug:brand>/posts/feed/", exchange.open_feed, name="feed"),
    path("b/<slug:brand>/posts/feed/removal/", exchange.close_feed, name="feed_removal"),
    path("calendar/<slug:token>.ics", exchange.read_feed, name="calendar_feed"),
    path("b/<slug:brand>/media/", acts.add_media, name="media"),
    path("b/<slug:brand>/media/<int:media_id>/", acts.show_media, name="media_file"),
]
