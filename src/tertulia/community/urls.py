from django.urls import path

from . import views

app_name = "community"

urlpatterns = [
    path("b/<slug:brand>/people/", views.show_people, name="people"),
    path("b/<slug:brand>/people/<int:member_id>/details/", views.change_member, name="member"),
    path("b/<slug:brand>/testimonials/", views.show_testimonials, name="testimonials"),
    path("b/<slug:brand>/testimonials/new/", views.add_testimonial, name="new_testimonial"),
    path("b/<slug:brand>/testimonials/<int:testimonial_id>/", views.show_testimonial, name="testimonial"),
    path("b/<slug:brand>/testimonials/<int:testimonial_id>/consent/", views.settle_consent, name="testimonial_consent"),
    path(
        "b/<slug:brand>/testimonials/<int:testimonial_id>/removal/",
        views.remove_testimonial,
        name="testimonial_removal",
    ),
]
