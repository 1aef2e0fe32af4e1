"""The settings of a brand stand here, above the brand's own room, because their door is the team's."""

from django.urls import path

from .views import brands

app_name = "brand"
urlpatterns = [
    path("b/<slug:brand>/settings/", brands.settings, name="settings"),
    path("b/<slug:brand>/settings/hours/", brands.set_hours, name="hours"),
    path("b/<slug:brand>/settings/words/", brands.set_words, name="words"),
    path("b/<slug:brand>/settings/avoided-words/", brands.avoid, name="avoided"),
    path("b/<slug:brand>/settings/holidays/", brands.add_holiday, name="holidays"),
    path("b/<slug:brand>/settings/holidays/<int:holiday_id>/removal/", brands.remove_holiday, name="holiday_removal"),
    path("b/<slug:brand>/settings/new-brand/", brands.new, name="new"),
]
