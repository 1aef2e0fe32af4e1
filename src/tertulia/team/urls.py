from django.urls import path

from .views import invitations, notifications, own, people

app_name = "team"
urlpatterns = [
    path("profile/", own.profile, name="profile"),
    path("profile/appearance/", own.appearance, name="appearance"),
    path("invitation/<str:token>/", invitations.accept, name="invitation"),
    path("b/<slug:brand>/notifications/", notifications.show, name="notifications"),
    path("b/<slug:brand>/notifications/reading/", notifications.read_all, name="notifications_read"),
    path("b/<slug:brand>/notifications/<int:notification_id>/", notifications.follow, name="notification"),
    path("b/<slug:brand>/team/", people.people, name="people"),
    path("b/<slug:brand>/team/invitations/", invitations.invite, name="invite"),
    path(
        "b/<slug:brand>/team/invitations/<int:invitation_id>/removal/", invitations.withdraw, name="invitation_removal"
    ),
    path("b/<slug:brand>/team/<int:membership_id>/", people.member, name="member"),
    path("b/<slug:brand>/team/<int:membership_id>/removal/", people.removal, name="removal"),
    path("b/<slug:brand>/team/<int:membership_id>/skills/", people.add_skill, name="skills"),
    path(
        "b/<slug:brand>/team/<int:membership_id>/skills/<int:skill_id>/removal/",
        people.remove_skill,
        name="skill_removal",
    ),
    path("b/<slug:brand>/team/<int:membership_id>/shifts/", people.add_shift, name="shifts"),
    path(
        "b/<slug:brand>/team/<int:membership_id>/shifts/<int:shift_id>/removal/",
        people.remove_shift,
        name="shift_removal",
    ),
    path("b/<slug:brand>/team/<int:membership_id>/absences/", people.add_absence, name="absences"),
    path(
        "b/<slug:brand>/team/<int:membership_id>/absences/<int:absence_id>/removal/",
        people.remove_absence,
        name="absence_removal",
    ),
]
