from django.urls import path

from . import views

app_name = "community"

urlpatterns = [
    path("b/<slug:brand>/people/", views.show_people, name="people"),
    path("b/<slug:brand>/people/<int:member_id>/details/", views.change_member, name="member"),
]
