"""The public addresses of links: as short as they can be."""

from django.urls import path

from .views import redirects

urlpatterns = [
    path("l/pixel.gif", redirects.pixel, name="pixel"),
    path("l/<str:code>", redirects.follow, name="short_link"),
]
