"""Every address of the house. Rooms list their own; what is not here does not exist."""

from importlib.util import find_spec

from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver

ROOMS = ["team", "brand", "channels", "community", "listening", "inbox", "publishing", "insight", "flows", "api"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("tertulia.team.entrance_urls")),  # signing in; the language of who hasn't
    path("", include("tertulia.team.brand_urls")),
    path("", include("tertulia.publishing.link_urls")),
]
urlpatterns += [path("", include(f"tertulia.{room}.urls")) for room in ROOMS if find_spec(f"tertulia.{room}.urls")]

handler500 = "tertulia.project.errors.server_error"
