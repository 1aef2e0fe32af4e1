from django.urls import path, re_path

from .errors import in_our_shape, nothing_here
from .v1.api import api

app_name = "api"

operations, ninja, namespace = api.urls
for operation in operations:
    if operation.callback:
        operation.callback = in_our_shape(operation.callback)

urlpatterns = [
    path("api/v1/", (operations, ninja, namespace)),
    re_path(r"^api/", nothing_here, name="nothing"),
]
