"""The team's pages: who may change what, and what must never be left undone."""

from __future__ import annotations

from datetime import time

import pytest
from django.test import Client
from django.utils import translation

from conftest import person
from tertulia.brand.models import OpeningHours
from tertulia.core import clock, worker
from tertulia.core.models import Activity, Heartbeat
from tertulia.team import cover
from tertulia.team.models import Absence, Membership, Shift, Skill, User
from tertulia.team.permissions import Role
from tertulia.team.templatetags.team import week

TEAM = "/b/horno-candela/team/"


@pytest.fixture
def of_bruno(bruno) -> Membership:
    return Membership.objects.get(user=bruno)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_team_is_shown_with_roles_and_skills(as_bruno, alba, of_bruno):
    Skill.objects.create(membership=of_bruno, kind="language", value="en", level=3)
    page = as_bruno.get(TEAM).content.decode()
    assert "Alba" in page
    assert "title=" in page
    assert "Invite" not in page


def test_team_page_costs_the_same_however_many_people(as_alba, brand, django_assert_max_num_queries):
    for n in range(10):
        person(f"P{n}", brand, Role.EXPERT)
    with django_assert_max_num_queries(13):
        as_alba.get(TEAM)


def test_stranger_sees_no_team(as_carla, brand):
    assert as_carla.get(TEAM).status_code == 404


def test_anonymous_is_asked_to_sign_in_and_comes_back(brand):
    answer = Client().get(TEAM)
    assert answer["Location"] == f"/accounts/login/?next={TEAM}"


def test_manager_changes_role_and_load(as_alba, of_bruno, alba):
    as_alba.post(f"{TEAM}{of_bruno.pk}/", {"role": "approver", "capacity": "12", "is_fallback": "on"})
    of_bruno.refresh_from_db()
    assert (of_bruno.role, of_bruno.capacity, of_bruno.is_fallback) == ("approver", 12, True)
    line = Activity.objects.get(type="team.changed")
    assert (line.by_id, line.data) == (alba.pk, {"person": "Bruno", "role": "approver"})


@pytest.mark.parametrize("role", [role for role in Role if role != Role.MANAGER])
def test_only_managers_change_the_team(brand, alba, role):
    somebody = person("Somebody", brand, role)
    mine = Membership.objects.get(user=somebody)
    client = signed_in(somebody)
    sent = [
        client.post(f"{TEAM}{mine.pk}/", {"role": "manager", "capacity": "12"}),
        client.post(f"{TEAM}{mine.pk}/removal/"),
        client.post(f"{TEAM}{mine.pk}/skills/", {"kind": "topic", "value": "pan", "level": "3"}),
        client.post(f"{TEAM}{mine.pk}/shifts/", {"weekday": "0", "starts": "09:00", "ends": "14:00"}),
        client.post(f"{TEAM}invitations/", {"email": "x@example.com", "role": "reader"}),
    ]
    assert [answer.status_code for answer in sent] == [403] * 5
    mine.refresh_from_db()
    assert (mine.role, mine.capacity, mine.skills.count(), mine.shifts.count()) == (role, 25, 0, 0)


def test_other_fields_of_the_form_are_not_read(as_alba, of_bruno, bruno, other_brand):
    as_alba.post(
        f"{TEAM}{of_bruno.pk}/",
        {
            "role": "expert",
            "capacity": "5",
            "is_staff": "1",
            "user": "1",
            "brand": other_brand.pk,
            "brand_id": other_brand.pk,
        },
    )
    of_bruno.refresh_from_db()
    bruno.refresh_from_db()
    assert (of_bruno.user_id, of_bruno.brand.slug, bruno.is_staff) == (bruno.pk, "horno-candela", False)


def test_ids_of_another_brand_are_not_there(as_alba, carla):
    foreign = Membership.objects.get(user=carla)
    skill = Skill.objects.create(membership=foreign, kind="topic", value="clavos")
    shift = Shift.objects.create(membership=foreign, weekday=0, starts=time(9), ends=time(14))
    absence = Absence.objects.create(membership=foreign, starts_on="2026-12-01", ends_on="2026-12-02")
    paths = [
        f"{foreign.pk}/", f"{foreign.pk}/removal/", f"{foreign.pk}/skills/", f"{foreign.pk}/shifts/",
        f"{foreign.pk}/absences/", f"{foreign.pk}/skills/{skill.pk}/removal/",
        f"{foreign.pk}/shifts/{shift.pk}/removal/", f"{foreign.pk}/absences/{absence.pk}/removal/",
    ]  # fmt: skip
    assert {as_alba.post(TEAM + path, {"role": "reader", "capacity": 1}).status_code for path in paths} == {404}
    assert (Skill.objects.count(), Shift.objects.count(), Absence.objects.count()) == (1, 1, 1)


def test_skill_of_another_person_is_not_removed_through_ones_own_page(as_alba, alba, of_bruno):
    mine = Membership.objects.get(user=alba)
    skill = Skill.objects.create(membership=of_bruno, kind="topic", value="pan")
    assert as_alba.post(f"{TEAM}{mine.pk}/skills/{skill.pk}/removal/").status_code == 404
    assert Skill.objects.filter(pk=skill.pk).exists()


def test_last_manager_can_not_step_down(as_alba, alba):
    mine = Membership.objects.get(user=alba)
    answer = as_alba.post(f"{TEAM}{mine.pk}/", {"role": "reader", "capacity": "25"})
    mine.refresh_from_db()
    assert (answer.status_code, mine.role) == (422, "manager")


def test_last_manager_can_not_leave(as_alba, alba):
    mine = Membership.objects.get(user=alba)
    answer = as_alba.post(f"{TEAM}{mine.pk}/removal/")
    assert answer.status_code == 200
    assert answer.context["error"]
    assert Membership.objects.filter(pk=mine.pk).exists()


def test_a_manager_whose_account_is_closed_does_not_count(as_alba, alba, brand):
    person("Closed", brand, Role.MANAGER)
    User.objects.filter(name="Closed").update(is_active=False)
    as_alba.post(f"{TEAM}{Membership.objects.get(user=alba).pk}/removal/")
    assert Membership.objects.filter(user=alba).exists()


def test_removed_person_is_out_at_once_and_keeps_the_account(as_alba, as_bruno, bruno, of_bruno):
    as_alba.post(f"{TEAM}{of_bruno.pk}/removal/")
    assert as_bruno.get(TEAM).status_code == 404
    assert User.objects.filter(pk=bruno.pk, is_active=True).exists()
    assert Activity.objects.get(type="team.removed").data == {"person": "Bruno", "user": bruno.pk}


def test_topic_is_free_text_but_a_language_is_of_the_list(as_alba, of_bruno):
    path = f"{TEAM}{of_bruno.pk}/skills/"
    as_alba.post(path, {"kind": "topic", "value": "  pan   de masa madre ", "level": "3"})
    refused = as_alba.post(path, {"kind": "language", "value": "klingon", "level": "3"})
    as_alba.post(path, {"kind": "language", "value": "en", "level": "1"})
    assert refused.status_code == 422
    known = {(one.kind, one.value, one.level) for one in of_bruno.skills.all()}
    assert known == {("topic", "pan de masa madre", 3), ("language", "en", 1)}


def test_declaring_a_skill_again_changes_its_level(as_alba, of_bruno):
    for level in ("1", "3"):
        as_alba.post(f"{TEAM}{of_bruno.pk}/skills/", {"kind": "topic", "value": "pan", "level": level})
    assert of_bruno.skills.get().level == 3


def test_skill_of_an_unknown_kind_is_refused(as_alba, of_bruno):
    answer = as_alba.post(f"{TEAM}{of_bruno.pk}/skills/", {"kind": "magic", "value": "x", "level": "3"})
    assert (answer.status_code, of_bruno.skills.count()) == (422, 0)


def test_shift_that_ends_before_it_begins_is_refused_with_a_way_out(as_alba, of_bruno):
    answer = as_alba.post(f"{TEAM}{of_bruno.pk}/shifts/", {"weekday": "0", "starts": "22:00", "ends": "06:00"})
    assert (answer.status_code, of_bruno.shifts.count()) == (422, 0)
    assert "23:59" in answer.content.decode()


def test_everybody_notes_their_own_absence_and_nobody_elses(as_bruno, bruno, of_bruno, alba):
    days = {"starts_on": "2026-12-01", "ends_on": "2026-12-08", "reason": "vacaciones"}
    assert as_bruno.post(f"{TEAM}{of_bruno.pk}/absences/", days).status_code == 302
    assert as_bruno.post(f"{TEAM}{Membership.objects.get(user=alba).pk}/absences/", days).status_code == 403
    assert [one.membership_id for one in Absence.objects.all()] == [of_bruno.pk]


def test_hours_that_nobody_covers_are_named(brand, alba, of_bruno):
    OpeningHours.objects.create(brand=brand, weekday=0, opens=time(9), closes=time(20))
    Shift.objects.create(membership=Membership.objects.get(user=alba), weekday=0, starts=time(9), ends=time(14))
    assert cover.gaps(brand) == []
    Shift.objects.create(membership=of_bruno, weekday=0, starts=time(16), ends=time(19))
    assert cover.gaps(brand) == [(0, [(time(14), time(16)), (time(19), time(20))])]


def test_shifts_of_those_who_do_not_answer_cover_nothing(brand, alba):
    OpeningHours.objects.create(brand=brand, weekday=0, opens=time(9), closes=time(14))
    reader = person("Reader", brand, Role.READER)
    Shift.objects.create(membership=Membership.objects.get(user=alba), weekday=1, starts=time(9), ends=time(14))
    Shift.objects.create(membership=Membership.objects.get(user=reader), weekday=0, starts=time(9), ends=time(14))
    assert cover.gaps(brand) == [(0, [(time(9), time(14))])]


def test_names_with_markup_stay_text(as_alba, brand):
    person("Eve", brand, Role.EXPERT)
    User.objects.filter(name="Eve").update(name='"><svg onload=alert(1)>')
    page = as_alba.get(TEAM).content.decode()
    assert "<svg onload" not in page


def test_a_page_of_the_brand_reads_memberships_once(as_alba, django_assert_num_queries, brand):
    with django_assert_num_queries(4):  # session, user, memberships with what is unread, notifications
        as_alba.get("/b/horno-candela/notifications/")


def test_page_says_when_background_work_is_silent(as_alba, brand):
    path = "/b/horno-candela/notifications/"
    assert as_alba.get(path).context["work_is_silent"]
    Heartbeat.objects.create(name=worker.HEARTBEAT, at=clock.now())
    assert not as_alba.get(path).context["work_is_silent"]


def test_days_with_the_same_hours_are_told_together():
    split = [Shift(weekday=day, starts=time(9), ends=time(14)) for day in range(5)]
    split += [Shift(weekday=4, starts=time(17), ends=time(20)), Shift(weekday=6, starts=time(9), ends=time(14))]
    with translation.override("en"):
        assert week(split) == ["Mon–Thu 09:00–14:00", "Fri 09:00–14:00, 17:00–20:00", "Sun 09:00–14:00"]
