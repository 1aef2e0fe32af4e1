"""A marketing plan from its first step to the calendar."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from io import BytesIO

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from pypdf import PdfReader
from time_machine import travel

from conftest import NOON, person
from tertulia.channels import figures
from tertulia.channels.models import Account
from tertulia.core.models import Activity, Job
from tertulia.flows import plan_offers, planning
from tertulia.flows import plans as flow
from tertulia.publishing import actions as publishing
from tertulia.publishing import initiatives, planned, rhythm
from tertulia.publishing.models import Initiative, PlannedDay, Post
from tertulia.publishing.problems import Problem
from tertulia.strategy import actions as strategy
from tertulia.strategy import plans
from tertulia.strategy.models import Audience, Duty, Kpi, Objective, Plan, PlanChannel, PlannedAction

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 12, 1), date(2026, 12, 31)
R = PlannedAction.Repeats


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def board(brand) -> Account:
    return Account.objects.create(brand=brand, kind="manual", name="Tablón", created_at=NOON)


@pytest.fixture
def plan(brand, alba) -> Plan:
    return plans.begin(brand=brand, by=alba, at=NOON, name="Navidad", starts_on=FIRST, ends_on=LAST)


def add(line, by):
    plans.keep(line=line, by=by, at=NOON)
    return line


def act(plan, by, **said) -> PlannedAction:
    return add(PlannedAction(plan=plan, **{"title": "Roscones", "on": FIRST, **said}), by)


@pytest.fixture
def whole(plan, board, alba) -> Plan:
    """Of every step something: a post each Tuesday and Thursday of December, one tasting."""
    said = {"situation": "Pocos nos siguen", "messages": "Pan de verdad", "measuring": "Cada lunes"}
    plans.change(plan=plan, by=alba, at=NOON, **said)
    add(Audience(plan=plan, name="Familias del barrio", about="Compran los sábados"), alba)
    objective = add(Objective(plan=plan, title="Más pedidos de Navidad"), alba)
    add(Kpi(objective=objective, name="Pedidos", source="Lista de la tienda", baseline=40, target=60, due_on=LAST,
            owner=alba), alba)  # fmt: skip
    add(PlanChannel(plan=plan, account=board, name="Tablón", purpose="Lo que sale del horno", per_week=2), alba)
    act(plan, alba, title="Del horno", text="Un pan y su historia", account=board, repeats=R.WEEKLY, weekdays=[1, 3])
    act(plan, alba, title="Cata de roscón", is_outside=True, on=date(2026, 12, 19), owner=alba)
    add(Duty(plan=plan, name="Marta (agencia)", does="El boletín"), alba)
    return plan


def go(plan, by, at=NOON) -> int:
    return flow.put_to_work(plan=plan, by=by, at=at).added


def test_every_section_is_in_the_plan_and_every_planned_action_on_the_calendar(whole, brand, as_alba, alba):
    page = as_alba.post(reverse("plan_work", args=[brand.slug, whole.pk]), follow=True).content.decode()
    answer = as_alba.get(reverse("plan_pdf", args=[brand.slug, whole.pk]))
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "application/pdf", 'attachment; filename="navidad.pdf"'
    )  # fmt: skip
    pdf = " ".join(" ".join(sheet.extract_text() for sheet in PdfReader(BytesIO(answer.content)).pages).split())
    assert [said for said in ("Navidad", brand.name, "Del 1 de diciembre de 2026", "1 / 2") if said not in pdf] == []
    written = [
        "Pocos nos siguen", "Familias del barrio", "Más pedidos de Navidad", "Lista de la tienda", "Tablón",
        "Lo que sale del horno", "Pan de verdad", "Del horno", "Cata de roscón", "Cada lunes", "Marta (agencia)",
    ]  # fmt: skip
    titles = [section.title for section in flow.document(whole).sections]
    assert len(titles) == len(plans.STEPS) == 8
    for said in (*written, *titles):
        assert said in pdf, said
        assert said in page, said
    tuesdays_and_thursdays = [FIRST + timedelta(n) for n in range(31) if (FIRST + timedelta(n)).weekday() in {1, 3}]
    posts = Post.objects.filter(title="Del horno").order_by("on")
    assert [(post.on, post.time) for post in posts] == [(on, time(10)) for on in tuesdays_and_thursdays]
    tasting = Initiative.objects.get()
    assert (tasting.title, tasting.starts_on, tasting.owner) == ("Cata de roscón", date(2026, 12, 19), alba)
    calendar = as_alba.get(f"/b/{brand.slug}/posts/?on=2026-12-01").content.decode()
    assert calendar.count("Del horno") >= len(tuesdays_and_thursdays)
    assert "Cata de roscón" in calendar
    assert Post.objects.filter(versions__sendings__isnull=False).count() == 0  # nothing leaves by itself
    for post in posts:
        assert reverse("publishing:post", args=[brand.slug, post.pk]) in page
    assert reverse("publishing:initiative", args=[brand.slug, tasting.pk]) in page
    post_page = as_alba.get(reverse("publishing:post", args=[brand.slug, posts[0].pk])).content.decode()
    assert f'Del plan <a href="{reverse("plan", args=[brand.slug, whole.pk])}">' in post_page


def test_doing_it_twice_doubles_nothing_and_what_is_added_later_comes_too(whole, alba, board):
    first = go(whole, alba)
    assert (first, go(whole, alba), PlannedDay.objects.count()) == (11, 0, 11)
    act(whole, alba, title="Feliz año", account=board, on=LAST)
    assert (go(whole, alba), Post.objects.filter(title="Feliz año").count(), PlannedDay.objects.count()) == (1, 1, 12)
    plans.change(plan=whole, by=alba, at=NOON, ends_on=date(2027, 1, 7))
    assert (go(whole, alba), Post.objects.filter(title="Del horno", on__year=2027).count()) == (2, 2)
    lines = [
        (one.type, one.data.get("added")) for one in Activity.objects.filter(type__startswith="plan.").order_by("pk")
    ]
    assert [line for line in lines if line[0] != "plan.changed"] == [
        ("plan.begun", None), ("plan.at_work", None), ("plan.laid_out", 11), ("plan.laid_out", 1), ("plan.laid_out", 2)
    ]  # fmt: skip


def test_what_somebody_moves_or_removes_on_the_calendar_is_not_put_back(whole, alba, as_alba, brand):
    go(whole, alba)
    post = Post.objects.filter(title="Del horno").order_by("on").first()
    publishing.plan(post=post, wall=datetime(2026, 12, 24, 9), by=alba, at=NOON)
    initiatives.remove(initiative=Initiative.objects.get(), by=alba, at=NOON)
    assert go(whole, alba) == 0
    page = as_alba.get(reverse("plan", args=[brand.slug, whole.pk])).content.decode()
    assert "quitada del calendario" in page
    assert page.count("24 de diciembre de 2026") >= 1


def test_a_day_is_on_the_calendar_once_also_for_the_database(whole, alba):
    go(whole, alba)
    one = PlannedDay.objects.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        PlannedDay.objects.create(action=one.action, on=one.on)


def test_an_objective_without_an_indicator_is_not_agreed(whole, alba, as_alba, brand):
    vague = add(Objective(plan=whole, title="Que nos quieran"), alba)
    with pytest.raises(Problem, match="Que nos quieran"):
        go(whole, alba)
    answer = as_alba.post(reverse("plan_work", args=[brand.slug, whole.pk]), follow=True)
    assert "Que nos quieran" in answer.content.decode()
    assert (Plan.objects.get().at_work_at, Post.objects.count(), Initiative.objects.count()) == (None, 0, 0)
    kpi = add(
        Kpi(objective=vague, name="Reseñas", source="Google", baseline="4.1", target="4.5", due_on=LAST, owner=alba),
        alba,
    )
    go(whole, alba)
    assert not Objective.objects.filter(agreed_at__isnull=True).exists()
    with pytest.raises(strategy.Problem):
        plans.remove(line=kpi, by=alba, at=NOON)
    assert Kpi.objects.filter(pk=kpi.pk).exists()


@pytest.mark.parametrize("step", plans.STEPS)
def test_a_plan_that_lacks_a_step_is_not_put_to_work(whole, alba, step):
    if step in {"situation", "messages", "measuring"}:
        plans.change(plan=whole, by=alba, at=NOON, **{step: ""})
    else:
        of = {"audience": "audiences", "objectives": "objectives", "channels": "channels", "calendar": "actions"}
        getattr(whole, of.get(step, "duties")).all().delete()
    assert [key for key, is_done in plans.done(whole).items() if not is_done] == [step]
    with pytest.raises(Problem):
        go(whole, alba)
    assert (Plan.objects.get().at_work_at, PlannedDay.objects.count()) == (None, 0)


def test_what_cannot_be_published_stops_all_of_it_and_says_what(whole, alba, board):
    go(whole, alba)
    gone = act(whole, alba, title="En Facebook", account=Account.objects.create(
        brand=whole.brand, kind="manual", name="Facebook", created_at=NOON), on=LAST)  # fmt: skip
    act(whole, alba, title="Antes", account=board, on=date(2026, 12, 5))
    gone.account.delete()
    with pytest.raises(Problem, match="En Facebook"):
        go(whole, alba)
    assert not Post.objects.filter(title="Antes").exists()


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ({"repeats": R.ONCE, "on": date(2026, 12, 24)}, [24]),
        ({"repeats": R.ONCE, "on": date(2026, 12, 24), "weekdays": [0]}, [24]),
        ({"repeats": R.WEEKLY}, [1, 8, 15, 22, 29]),
        ({"repeats": R.FORTNIGHTLY, "weekdays": [4]}, [4, 18]),
        ({"repeats": R.MONTHLY, "on": date(2026, 12, 31)}, [31]),
    ],
)
def test_a_rhythm_means_its_days_within_the_plan(plan, alba, board, said, days):
    one = act(plan, alba, account=board, **said)
    assert planned.days(one) == [date(2026, 12, day) for day in days]


def test_days_that_have_passed_are_left_out(whole, alba):
    assert go(whole, alba, at=NOON + timedelta(days=21)) == 7
    assert Post.objects.order_by("on").first().on == date(2026, 12, 15)


def test_of_a_long_plan_the_rest_follows_by_itself_and_nothing_comes_twice(whole, alba, monkeypatch):
    monkeypatch.setattr(planned, "BATCH", 4)
    assert flow.put_to_work(plan=whole, by=alba, at=NOON) == planned.LaidOut(4, 7)
    assert go(whole, alba) == 4  # somebody presses again before the rest has come
    planning.lay_out_plan(plan_id=whole.pk, by_id=alba.pk)
    planning.lay_out_plan(plan_id=whole.pk, by_id=alba.pk)
    assert (PlannedDay.objects.count(), Post.objects.count(), Initiative.objects.count()) == (11, 10, 1)
    assert Job.objects.filter(task="publishing.lay_out_plan").exists()


def test_too_many_days_at_once_are_refused_before_any_is_made(whole, alba, board, monkeypatch):
    monkeypatch.setattr(planned, "MOST", 10)
    with pytest.raises(Problem, match="10"):
        go(whole, alba)
    assert Post.objects.count() == 0


# The pages.


def test_every_step_is_kept_as_it_is_written_in_any_order_and_the_progress_is_shown(as_alba, brand, alba, board):
    said = {"name": "Primavera", "starts_on": "2027-03-01", "ends_on": "2027-05-31"}
    answer = as_alba.post(reverse("plan_beginning", args=[brand.slug]), said)
    plan = Plan.objects.get()
    assert answer.url == reverse("plan_situation", args=[brand.slug, plan.pk])
    home = reverse("plan", args=[brand.slug, plan.pk])
    assert as_alba.post(f"{home}measuring/", {"text": "Cada mes"}).url == f"{home}measuring/"
    assert as_alba.post(f"{home}messages/", {"text": "Pan\r\ny sal", "do": "next"}).url == f"{home}calendar/"
    as_alba.post(f"{home}audience/", {"name": "Familias", "about": "del barrio"})
    as_alba.post(f"{home}people/", {"user": alba.pk, "name": "", "does": "Todo"})
    as_alba.post(f"{home}channels/", {"account": board.pk, "name": "", "purpose": "x", "per_week": "3"})
    fair = {"title": "Feria", "where": "outside", "on": "2027-04-10", "time": "10:00", "repeats": "once", "text": ""}
    as_alba.post(f"{home}calendar/", fair)
    plan.refresh_from_db()
    assert (plan.measuring, plan.messages, plan.channels.get().name) == ("Cada mes", "Pan\ny sal", "Tablón")
    assert plan.actions.get().is_outside
    page = as_alba.get(f"{home}situation/").content.decode()
    assert "completados: 6" in page
    assert "Por ejemplo" in page


def test_a_line_of_somebody_else_or_a_wrong_one_is_refused_and_nothing_that_was_typed_is_lost(
    as_alba, plan, brand, other_brand, carla
):
    elsewhere = Account.objects.create(brand=other_brand, kind="manual", name="Ajena", created_at=NOON)
    home = reverse("plan", args=[brand.slug, plan.pk])
    said = {"title": "Pan", "where": elsewhere.pk, "on": "2026-12-24", "time": "10:00", "repeats": "once"}
    for wrong in ({}, {"where": "outside", "on": "2027-01-01"}, {"where": "outside", "owner": carla.pk}):
        answer = as_alba.post(f"{home}calendar/", said | {"text": "Lo que escribí"} | wrong)
        assert (answer.status_code, "Lo que escribí" in answer.content.decode()) == (422, True)
    feed = Account.objects.create(brand=brand, kind="feed", name="Blog de otros", created_at=NOON)
    assert as_alba.post(f"{home}channels/", {"account": feed.pk, "name": "Blog"}).status_code == 422
    assert as_alba.post(f"{home}people/", {"user": "", "name": " ", "does": "Todo"}).status_code == 422
    assert as_alba.post(f"{home}audience/", {"name": "x", "about": "y" * 5001}).status_code == 422
    text = "z" * 100_001
    answer = as_alba.post(f"{home}situation/", {"text": text})
    assert (answer.status_code, text in answer.content.decode()) == (422, True)
    assert not any(lines.exists() for lines in (plan.actions, plan.duties, plan.audiences, plan.channels))


def test_what_the_desk_knows_is_taken_over_with_one_press_and_never_by_itself(as_alba, alba, plan, brand, board):
    figures.keep(account=board, on=NOON.date(), values={"followers": 1240}, at=NOON)
    rhythm.settle(account=board, rhythm=rhythm.Rhythm(2, NOON.date(), [1, 3], frozenset()), by=alba, at=NOON)
    campaign = strategy.begin(
        brand=brand, by=alba, at=NOON, name="Torrijas", goal="Vender más torrijas", audience="Golosos", starts_on=FIRST
    )
    home = reverse("plan", args=[brand.slug, plan.pk])
    for step in plans.STEPS:
        page = as_alba.get(f"{home}{step}/").content.decode()
        assert ('name="take"' in page) == (step not in {"measuring"}), step
    assert not any(plans.done(plan).values())
    key = plan_offers.known_figures(brand)[0].key
    as_alba.post(f"{home}situation/", {"text": "Lo mío", "take": f"figure-{key}"})
    plan.refresh_from_db()
    assert plan.situation == "Lo mío\nTablón: seguidores 1240 (23/11/2026)"
    assert f"figure-{key}" not in as_alba.get(f"{home}situation/").content.decode()
    as_alba.post(f"{home}channels/", {"take": f"account-{board.pk}"})
    as_alba.post(f"{home}audience/", {"take": f"campaign-{campaign.pk}"})
    as_alba.post(f"{home}objectives/", {"take": f"campaign-{campaign.pk}"})
    as_alba.post(f"{home}calendar/", {"take": f"channel-{plan.channels.get().pk}"})
    as_alba.post(f"{home}people/", {"take": f"member-{alba.memberships.get().pk}"})
    assert (plan.channels.get().per_week, plan.audiences.get().name) == (2, "Golosos")
    assert (plan.objectives.get().title, plan.duties.get().user) == ("Vender más torrijas", alba)
    assert (plan.actions.get().account, plan.actions.get().weekdays) == (board, [1, 3])
    objective = f"{home}objectives/{plan.objectives.get().pk}/"
    page = as_alba.post(f"{objective}indicators/", {"take": key, "target": "1500"}).content.decode()
    assert [said for said in ('value="1240"', 'value="1500"', 'value="Tablón"') if said not in page] == []
    assert not Kpi.objects.exists()
    again = as_alba.post(f"{home}channels/", {"take": f"account-{board.pk}"}, follow=True)
    assert (plan.channels.count(), "ha cambiado" in again.content.decode()) == (1, True)


def test_an_action_on_the_calendar_keeps_its_day_and_place_in_the_plan(as_alba, whole, brand, alba):
    go(whole, alba)
    one = PlannedAction.objects.get(title="Cata de roscón")
    place = reverse("plan_calendar_line", args=[brand.slug, whole.pk, one.pk])
    as_alba.post(place, {"title": "Cata", "where": "outside", "on": "2026-12-05", "time": "09:00", "repeats": "weekly"})
    one.refresh_from_db()
    assert (one.title, one.on, one.repeats) == ("Cata", date(2026, 12, 19), R.ONCE)
    assert go(whole, alba) == 0


def test_a_plan_that_was_put_to_work_stays_and_another_one_goes(as_alba, whole, plan, brand, alba):
    removal = reverse("plan_removal", args=[brand.slug, whole.pk])
    go(whole, alba)
    as_alba.post(removal)
    assert Plan.objects.count() == 1
    other = plans.begin(brand=brand, by=alba, at=NOON, name="Otro", starts_on=FIRST, ends_on=LAST)
    as_alba.post(reverse("plan_removal", args=[brand.slug, other.pk]))
    assert list(Plan.objects.all()) == [whole]


def test_who_may_only_write_puts_nothing_to_work_and_who_reads_changes_nothing(client, whole, brand):
    home = reverse("plan", args=[brand.slug, whole.pk])
    client.force_login(person("Elsa", brand, role="expert"))
    assert client.post(f"{home}work/").status_code == 403
    assert client.post(f"{home}messages/", {"text": "Otro"}).status_code == 302
    client.force_login(person("Raúl", brand, role="reader"))
    assert (client.get(home).status_code, client.get(f"{home}pdf/").status_code) == (200, 200)
    assert client.post(f"{home}messages/", {"text": "Nada"}).status_code == 403
    plan = Plan.objects.get()
    assert (plan.messages, plan.at_work_at, PlannedDay.objects.count()) == ("Otro", None, 0)
