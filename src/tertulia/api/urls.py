from django.urls import path, re_path

from . import views
from .errors import in_our_shape, nothing_here
from .v1.api import api

app_name = "api"

operations, ninja, namespace = api.urls
for operation in operations:
    if operation.callback:
        operation.callback = in_our_shape(operation.callback)

SETTINGS = "b/<slug:brand>/settings/api/"
WEBHOOK = f"{SETTINGS}webhooks/<int:webhook_id>/"

urlpatterns = [
    path("api/v1/", (operations, ninja, namespace)),
    re_path(r"^api/", nothing_here, name="nothing"),
    path(SETTINGS, views.show, name="tokens"),
    path(f"{SETTINGS}tokens/new/", views.new_token, name="new_token"),
    path(f"{SETTINGS}tokens/<int:token_id>/revocation/", views.revoke_token, name="revoke_token"),
    path(f"{SETTINGS}webhooks/new/", views.new_webhook, name="new_webhook"),
    path(WEBHOOK, views.show_webhook, name="webhook"),
    path(f"{WEBHOOK}secret/", views.rotate_secret, name="rotate_secret"),
    path(f"{WEBHOOK}test/", views.test_webhook, name="test_webhook"),
    path(f"{WEBHOOK}pause/", views.pause_webhook, name="pause_webhook"),
    path(f"{WEBHOOK}resumption/", views.resume_webhook, name="resume_webhook"),
    path(f"{WEBHOOK}removal/", views.remove_webhook, name="remove_webhook"),
    path(f"{WEBHOOK}events/<int:event_id>/repeat/", views.repeat_event, name="repeat_event"),
]
