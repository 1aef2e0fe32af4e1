from django.urls import path

from .views import guarantees, topics, trust

app_name = "insight"

urlpatterns = [
    path("b/<slug:brand>/guarantees/", guarantees.show_guarantees, name="guarantees"),
    path("b/<slug:brand>/trust/", trust.show_trust, name="trust"),
    path("b/<slug:brand>/trust/rows/", trust.show_rows, name="trust_rows"),
    path("b/<slug:brand>/trust/export/", trust.take_away, name="trust_export"),
    path("b/<slug:brand>/topics/", topics.show_topics, name="topics"),
    path("b/<slug:brand>/topics/export/", topics.take_away, name="topics_export"),
    path("b/<slug:brand>/questions/", topics.show_questions, name="questions"),
    path("b/<slug:brand>/questions/dismissals/", topics.dismiss, name="dismissals"),
    path("b/<slug:brand>/questions/dismissals/<int:question_id>/removal/", topics.restore, name="restoration"),
]
