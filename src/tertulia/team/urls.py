from django.urls import path

from .views import own

app_name = "team"
urlpatterns = [
    path("profile/", own.profile, name="profile"),
    path("profile/appearance/", own.appearance, name="appearance"),
]
