"""To whom: who is chosen, along which chain, and that it can be told and repeated."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from math import prod

import pytest
from django.utils import translation

from conftest import NOON, person
from tertulia.brand.models import Holiday, OpeningHours
from tertulia.channels.models import Message
from tertulia.community.models import Member
from tertulia.core.models import Activity
from tertulia.inbox import routing
from tertulia.inbox.models import Assignment, Conversation, Label
from tertulia.team.models import Absence, Membership, Shift, Skill
from tertulia.team.permissions import Role
from tertulia.understanding import lessons
from tertulia.understanding.models import MessageReading

NIGHT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def team(brand, alba, bruno):
    """Alba runs it and takes what nobody else can, Bruno and Nuria are experts."""
    return {"alba": alba, "bruno": bruno, "nuria": person("Nuria", brand, Role.EXPERT)}


@pytest.fixture
def orders(brand) -> Label:
    return Label.objects.create(brand=brand, name="Pedidos")


def conversation(account, *labels, thread="diego", language="es", member=None, **fields) -> Conversation:
    member = member or Member.objects.create(brand=account.brand, name="Diego", first_seen_at=NOON, last_seen_at=NOON)
    return Conversation.objects.create(
        brand=account.brand, account=account, thread_id=thread, member=member, channel=account.kind,
        language=language, labels=[each.pk for each in labels], last_activity_at=NOON, listed_at=NOON, created_at=NOON,
        waiting_since=NOON, **fields,
    )  # fmt: skip


def membership(user) -> Membership:
    return Membership.objects.get(user=user)


def knows(user, value, level=2, kind=Skill.Kind.TOPIC) -> None:
    Skill.objects.create(membership=membership(user), kind=kind, value=value, level=level)


def works(user, weekday, starts, ends) -> None:
    Shift.objects.create(membership=membership(user), weekday=weekday, starts=time(starts), ends=time(ends))


def is_away(user, day=date(2026, 11, 23)) -> None:
    Absence.objects.create(membership=membership(user), starts_on=day, ends_on=day)


def holds(user, account, count) -> None:
    for number in range(count):
        conversation(account, thread=f"{user.name}-{number}", owner=user)


def chosen(of, at=NOON) -> str:
    choice = routing.choose(of, at)
    return choice.user.name if choice else ""


# Who


def test_whoever_knows_the_topic(team, site, orders):
    knows(team["nuria"], "pedidos")

    assert chosen(conversation(site, orders)) == "Nuria"


def test_the_higher_level_among_those_who_know_it(team, site, orders):
    knows(team["nuria"], "Pedidos", Skill.Level.SOME)
    knows(team["bruno"], "Pedidos", Skill.Level.EXPERT)

    assert chosen(conversation(site, orders)) == "Bruno"


def test_load_weighs_against_knowledge(team, site, orders):
    knows(team["nuria"], "Pedidos", Skill.Level.GOOD)
    knows(team["bruno"], "Pedidos", Skill.Level.EXPERT)
    holds(team["bruno"], site, 20)

    assert chosen(conversation(site, orders)) == "Nuria"


def test_whoever_speaks_the_language_before_whoever_knows_the_topic(team, site, orders):
    knows(team["nuria"], "Pedidos", Skill.Level.EXPERT)
    knows(team["bruno"], "en", kind=Skill.Kind.LANGUAGE)

    assert chosen(conversation(site, orders, language="en-GB")) == "Bruno"


def test_everybody_speaks_the_brands_own_language(team, site, orders):
    knows(team["nuria"], "Pedidos")
    knows(team["bruno"], "es", Skill.Level.EXPERT, kind=Skill.Kind.LANGUAGE)

    assert chosen(conversation(site, orders)) == "Nuria"


def test_whoever_is_at_home_on_the_channel(team, phone):
    knows(team["nuria"], "phone", kind=Skill.Kind.CHANNEL)

    choice = routing.choose(conversation(phone), NOON)

    assert (choice.user.name, choice.because["channel"]) == ("Nuria", "Teléfono y tienda")


def test_the_lowest_load_when_all_else_is_equal(team, site):
    holds(team["alba"], site, 2)
    holds(team["bruno"], site, 1)

    assert chosen(conversation(site)) == "Nuria"


def test_the_oldest_colleague_when_even_the_load_is_equal(team, site):
    assert chosen(conversation(site)) == "Alba"


def test_whoever_has_answered_this_person_before(team, site, phone):
    before = conversation(phone, thread="call", last_outbound_at=NOON, state="closed")
    Message.objects.create(
        account=phone, remote_id="x", thread_id="call", direction="out", kind="call",
        author_id=team["nuria"].id, sent_at=NOON, received_at=NOON,
    )  # fmt: skip

    choice = routing.choose(conversation(site, member=before.member), NOON)

    assert (choice.user.name, choice.because["known"]) == ("Nuria", "before")


def test_whoever_is_in_the_thread_already(team, site):
    here = conversation(site, last_outbound_at=NOON)
    Message.objects.create(
        account=site, remote_id="x", thread_id="diego", direction="out", kind="chat",
        author_id=team["bruno"].id, sent_at=NOON, received_at=NOON,
    )  # fmt: skip

    assert routing.choose(here, NOON).because["known"] == "thread"


# When


def test_whoever_is_on_shift(team, site, orders):
    knows(team["nuria"], "Pedidos")
    works(team["nuria"], 0, 16, 20)

    assert chosen(conversation(site, orders)) == "Alba"
    assert chosen(conversation(site, orders, thread="t2"), NOON + timedelta(hours=5)) == "Nuria"


def test_at_night_those_who_come_first_are_weighed(team, brand, site, orders):
    OpeningHours.objects.create(brand=brand, weekday=0, opens=time(10), closes=time(14))
    works(team["bruno"], 0, 7, 12)
    works(team["nuria"], 0, 14, 20)
    knows(team["nuria"], "Pedidos")

    choice = routing.choose(conversation(site, orders), NIGHT)

    assert (choice.user.name, choice.because["shift"], choice.because["starts"]) == ("Bruno", "next", [0, "07:00"])


def test_at_night_whoever_comes_soon_after_the_first_counts_too(team, brand, site, orders):
    OpeningHours.objects.create(brand=brand, weekday=0, opens=time(9), closes=time(14))
    works(team["bruno"], 0, 8, 12)
    works(team["nuria"], 0, 10, 18)
    knows(team["nuria"], "Pedidos")
    late = person("Luis", brand, Role.EXPERT)
    works(late, 0, 11, 18)
    knows(late, "Pedidos", Skill.Level.EXPERT)

    choice = routing.choose(conversation(site, orders), NIGHT)

    assert (choice.user.name, choice.because["starts"]) == ("Nuria", [0, "10:00"])


def test_nobody_is_on_shift_on_a_holiday(team, brand, site):
    OpeningHours.objects.create(brand=brand, weekday=0, opens=time(9), closes=time(14))
    Holiday.objects.create(brand=brand, on=date(2026, 11, 23), name="Inventario")

    assert routing.choose(conversation(site), NOON).because["shift"] == "next"


def test_nobody_who_is_away(team, site, orders):
    knows(team["nuria"], "Pedidos", Skill.Level.EXPERT)
    is_away(team["nuria"])

    assert chosen(conversation(site, orders)) == "Alba"
    assert chosen(conversation(site, orders, thread="t2"), NOON + timedelta(days=1)) == "Nuria"


def test_an_absence_begins_and_ends_at_midnight_of_the_brand(team, site, orders):
    knows(team["nuria"], "Pedidos", Skill.Level.EXPERT)
    is_away(team["nuria"], date(2026, 11, 24))
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)

    assert chosen(conversation(site, orders), late) == "Alba"


# The chain


def test_when_the_best_are_away_the_next_best_take_over_until_there_is_only_one(team, site, orders):
    for name, level in (("nuria", 3), ("bruno", 2), ("alba", 1)):
        knows(team[name], "Pedidos", level)
    here, order = conversation(site, orders), []
    for _ in range(3):
        order.append(chosen(here))
        is_away(team[order[-1].lower()])

    assert order == ["Nuria", "Bruno", "Alba"]
    assert chosen(here) == "Alba"


def test_who_is_full_is_passed_over_until_everybody_is(team, site, orders):
    knows(team["nuria"], "Pedidos", Skill.Level.EXPERT)
    Membership.objects.update(capacity=1)
    holds(team["nuria"], site, 1)
    assert chosen(conversation(site, orders)) == "Alba"

    holds(team["alba"], site, 1)
    holds(team["bruno"], site, 1)
    choice = routing.choose(conversation(site, orders, thread="t2"), NOON)
    assert (choice.user.name, choice.because["stage"]) == ("Alba", "fallback")


def test_a_manager_when_nobody_takes_the_rest(team, site):
    Membership.objects.update(capacity=0, is_fallback=False)

    choice = routing.choose(conversation(site), NOON)

    assert (choice.user.name, choice.because["stage"]) == ("Alba", "manager")


def test_anybody_who_may_answer_when_there_is_no_manager(team, site):
    Membership.objects.update(capacity=0, is_fallback=False, role=Role.EXPERT)

    assert routing.choose(conversation(site), NOON).because["stage"] == "anyone"


@pytest.mark.parametrize("role", [Role.READER, Role.DIRECTOR, Role.ADVISER])
def test_never_somebody_who_may_not_answer(brand, site, role):
    person("Rosa", brand, role, is_fallback=True)

    assert routing.choose(conversation(site), NOON) is None


def test_never_somebody_of_another_brand_or_whose_sign_in_is_closed(carla, bruno, site):
    bruno.is_active = False
    bruno.save()

    assert routing.choose(conversation(site), NOON) is None


# What is kept and told


def test_the_factors_give_the_score(team, site, orders):
    knows(team["nuria"], "Pedidos", Skill.Level.EXPERT)
    knows(team["nuria"], "en", kind=Skill.Kind.LANGUAGE)
    holds(team["nuria"], site, 3)

    because = routing.choose(conversation(site, orders, language="en"), NOON).because

    assert because["knowledge"] == {"base": 1.0, "topics": 3.0, "language": 2.0, "channel": 0.0}
    assert because["situation"] == {"shift": 1.0, "load": 0.893, "known": 1.0}
    assert because["score"] == round(sum(because["knowledge"].values()) * prod(because["situation"].values()), 4)


def test_the_reason_in_one_line(team, site, orders):
    knows(team["bruno"], "Pedidos")
    holds(team["bruno"], site, 3)
    because = routing.choose(conversation(site, orders), NOON).because

    with translation.override("en"):
        assert routing.sentence(because) == "Bruno: knows about pedidos, is on shift, has 3 of 25"


def test_the_reason_tells_when_they_come_and_what_they_speak(team, site, orders):
    knows(team["bruno"], "ca", kind=Skill.Kind.LANGUAGE)
    works(team["bruno"], 1, 9, 14)
    for name in ("alba", "nuria"):
        works(team[name], 2, 9, 14)
    because = routing.choose(conversation(site, language="ca"), NOON).because

    with translation.override("en"):
        assert routing.sentence(because) == "Bruno: speaks Catalan, starts on Tuesday at 09:00, has 0 of 25"


def test_what_people_did_needs_no_reason():
    assert routing.sentence({}) == ""


def test_routing_gives_it_writes_it_down_and_tells(team, site, orders):
    knows(team["nuria"], "Pedidos")
    here = conversation(site, orders)
    routing.route(here, at=NOON)

    here.refresh_from_db()
    assert here.owner == team["nuria"]
    assert Assignment.objects.get().because == here.because
    line = Activity.objects.get(type="conversation.routed")
    assert (line.on_id, line.by_id, line.data["to"]) == (here.id, None, team["nuria"].id)


def test_routing_again_changes_nothing(team, site):
    here = conversation(site)
    routing.route(here, at=NOON)
    routing.route(Conversation.objects.get(), at=NOON)

    assert Assignment.objects.count() == 1


def test_what_somebody_took_meanwhile_is_theirs(team, site):
    here = conversation(site)
    Conversation.objects.update(owner=team["bruno"])
    routing.route(here, at=NOON)

    assert Conversation.objects.get().owner == team["bruno"]
    assert not Assignment.objects.exists()


def test_when_there_is_truly_nobody_it_is_told_once(brand, site):
    for _ in range(2):
        assert routing.route(conversation_of(site), at=NOON) is None

    assert Activity.objects.filter(type="conversation.ownerless").count() == 1


def conversation_of(site) -> Conversation:
    return Conversation.objects.first() or conversation(site)


def test_many_share_the_load(team, site):
    here = [conversation(site, thread=f"t{number}") for number in range(9)]
    routing.route_many(here, at=NOON)

    assert (
        sorted(Conversation.objects.values_list("owner__name", flat=True))
        == ["Alba"] * 3 + ["Bruno"] * 3 + ["Nuria"] * 3
    )


def test_same_input_same_output(team, site, orders):
    knows(team["nuria"], "Pedidos")
    here = [conversation(site, *([orders] if number % 2 else []), thread=f"t{number}") for number in range(20)]

    first = routing.Desk(site.brand, here, NOON)
    again = routing.Desk(site.brand, list(reversed(here)), NOON)

    assert [first.choose(each) for each in here] == [again.choose(each) for each in here]


def test_a_hundred_cost_as_many_queries_as_one(team, site, orders, django_assert_max_num_queries):
    here = [conversation(site, orders, thread=f"t{number}") for number in range(100)]

    with django_assert_max_num_queries(20):
        routing.route_many(here, at=NOON)


# What was read


def read(conversation, *topics, sure=0.9, number=1) -> None:
    message = Message.objects.create(
        account=conversation.account, thread_id=conversation.thread_id, remote_id=f"{conversation.thread_id}{number}",
        direction="in",
        kind="chat", text="x", sent_at=NOON + timedelta(minutes=number), received_at=NOON,
    )  # fmt: skip
    MessageReading.objects.create(
        message=message, brand=conversation.brand, language="es", sentiment="neutral", kind="question", urgency=0,
        offensive=False, spam=False, needs_answer=True, topics=list(topics), confidence={"topics": sure}, at=NOON,
    )  # fmt: skip


@pytest.mark.parametrize("skill", ["Entregas", "entrega", "Envíos", "delivery", "shipping"])
def test_whoever_knows_what_the_message_is_about_by_whatever_name(team, site, skill):
    knows(team["nuria"], skill)
    of = conversation(site)
    read(of, "delivery")
    read(of, number=2)  # a greeting after it

    choice = routing.choose(of, NOON)

    assert choice.user == team["nuria"]
    with translation.override("es"):
        assert "sabe de entrega" in routing.sentence(choice.because)


def test_whoever_knows_a_topic_of_the_brand_s_own(team, site):
    topic = lessons.add_topic(brand=site.brand, name="Tartas de encargo", by=None, at=NOON)
    lessons.rename_topic(topic=topic, name="Tartas por encargo", by=team["nuria"].pk, at=NOON)
    knows(team["nuria"], "tartas por encargo")
    of = conversation(site)
    read(of, topic.slug)

    choice = routing.choose(of, NOON)

    assert choice.user == team["nuria"]
    with translation.override("es"):
        assert "sabe de tartas por encargo" in routing.sentence(choice.because)


def test_an_unsure_topic_weighs_less_and_binds_nobody(team, site):
    knows(team["bruno"], "entregas")
    knows(team["nuria"], "facturas")
    of = conversation(site)
    read(of, "delivery", sure=0.6)
    read(of, "invoice", sure=0.8, number=2)
    assert chosen(of) == "Nuria"

    doubtful = conversation(site, thread="doubtful")
    read(doubtful, "delivery", sure=0.4)
    holds(team["bruno"], site, 25)
    assert routing.choose(doubtful, NOON).because["stage"] == "qualified"  # nobody full is waited for


def test_a_topic_that_is_a_label_too_counts_once(team, site, orders):
    knows(team["nuria"], "pedidos", Skill.Level.GOOD)
    of = conversation(site, orders)
    read(of, "order", sure=1)

    because = routing.choose(of, NOON).because

    assert because["knowledge"]["topics"] == Skill.Level.GOOD
    assert (because["topics"], because["about"]) == (["Pedidos"], [])


def test_a_doubtful_topic_beside_a_sure_one_takes_nothing_from_it(team, site):
    knows(team["nuria"], "entregas", Skill.Level.SOME)
    holds(team["nuria"], site, 12)
    of = conversation(site)
    read(of, "delivery", "order", sure=0.33)
    assert chosen(of) != "Nuria"
    MessageReading.objects.update(confidence={"topics": 0.33, "topic:delivery": 0.97, "topic:order": 0.33})
    assert chosen(of) == "Nuria"
    MessageReading.objects.update(confidence={"topics": 0.33}, corrected=["topic:delivery"])
    assert chosen(of) == "Nuria"
