from django.urls import path

from . import views

app_name = "listening"

_ARTICLE = "b/<slug:brand>/reading/<int:article_id>/"

urlpatterns = [
    path("b/<slug:brand>/reading/", views.show_reading, name="reading"),
    path("b/<slug:brand>/reading/catching-up/", views.catch_up, name="catching_up"),
    path(_ARTICLE, views.show_article, name="article"),
    path(f"{_ARTICLE}star/", views.star, name="star"),
    path(f"{_ARTICLE}star/removal/", views.unstar, name="star_removal"),
]
