from django.urls import path

from . import views

app_name = "insight"

urlpatterns = [
    path("b/<slug:brand>/guarantees/", views.show_guarantees, name="guarantees"),
]
