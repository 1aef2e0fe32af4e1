from django.urls import path

from .views import guarantees, topics

app_name = "insight"

urlpatterns = [
    path("b/<slug:brand>/guarantees/", guarantees.show_guarantees, name="guarantees"),
    path("b/<slug:brand>/topics/", topics.show_topics, name="topics"),
    path("b/<slug:brand>/topics/export/", topics.take_away, name="topics_export"),
    path("b/<slug:brand>/questions/", topics.show_questions, name="questions"),
    path("b/<slug:brand>/questions/dismissals/", topics.dismiss, name="dismissals"),
    path("b/<slug:brand>/questions/dismissals/<int:question_id>/removal/", topics.restore, name="restoration"),
]
