"""Every address of the house. Rooms list their own; what is not here does not exist."""

from importlib.util import find_spec

from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver
from django.views.i18n import set_language

ROOMS = ["team", "brand", "channels", "community", "inbox", "flows", "api"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("tertulia.team.entrance_urls")),
    path("language/", set_language, name="set_language"),
]
urlpatterns += [path("", include(f"tertulia.{room}.urls")) for room in ROOMS if find_spec(f"tertulia.{room}.urls")]
