"""Many rows at once must be what the ORM would have made of each."""

from datetime import date, time, timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.brand.models import Brand, Holiday, OpeningHours
from tertulia.channels.models import Account, Identity, Message, Original
from tertulia.community.models import Member, MemberIdentity
from tertulia.connectors.contract import Author
from tertulia.core import bulk
from tertulia.core.models import Job
from tertulia.flows import inbound
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation, ConversationLabel, Label

pytestmark = pytest.mark.django_db


@pytest.fixture
def some(site):
    inbound.intake(
        site,
        [
            envelope(f"Hola {n}", remote_id=f"m{n}", thread=f"t{n}", author=Author(f"p{n}", name="Ána"), raw={"n": n})
            for n in range(5)
        ],
        at=NOON,
    )
    label = Label.objects.create(brand=site.brand, name="Pan")
    actions.put_on_labels(conversation=Conversation.objects.earliest("pk"), labels=[label], at=NOON)
    OpeningHours.objects.create(brand=site.brand, weekday=2, opens=time(9), closes=time(23, 59))
    Holiday.objects.create(brand=site.brand, on=date(2026, 5, 15), name="San Isidro")
    return site


MODELS = [
    Message, Identity, Conversation, Member, MemberIdentity, ConversationLabel, Account, Brand, OpeningHours, Holiday,
    Job,
]  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_what_it_finds_is_what_the_orm_finds(some, model):
    theirs = list(model.objects.order_by("pk"))
    assert theirs
    ours = bulk.find(model, "id", [row.pk for row in reversed(theirs)])
    assert [_plain(row) for row in ours] == [_plain(row) for row in theirs]
    assert [{name: type(value) for name, value in _plain(row).items()} for row in ours] == [
        {name: type(value) for name, value in _plain(row).items()} for row in theirs
    ]
    assert all(not row._state.adding and row._state.db == "default" for row in ours)


def _plain(row):
    return {name: value for name, value in row.__dict__.items() if name != "_state"}


def test_it_finds_only_what_is_asked_for(some, phone):
    inbound.intake(phone, [envelope(remote_id="m1", thread="t1")], at=NOON)
    found = bulk.find(Message, "remote_id", ["m1", "m3", "m9"], account_id=some.pk)
    assert [(row.account_id, row.remote_id) for row in found] == [(some.pk, "m1"), (some.pk, "m3")]
    assert bulk.find(Message, "remote_id", [], account_id=some.pk) == []


def test_what_was_left_out_is_fetched_when_asked_for(some):
    (row,) = bulk.find(Message, "remote_id", ["m2"], without=("raw",))
    assert row.get_deferred_fields() == {"raw"}
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert row.raw == {"n": 2}
    assert len(queries) == 1


def test_a_moment_is_raised_and_never_lowered(some):
    early, late = NOON - timedelta(days=1), NOON + timedelta(days=1)
    first, second, other = list(Member.objects.order_by("pk"))[:3]
    Member.objects.filter(pk=second.pk).update(last_seen_at=late)
    with transaction.atomic():
        bulk.raise_to(Member, [first.pk, second.pk], "last_seen_at", NOON + timedelta(hours=1))
        bulk.raise_to(Member, [first.pk, second.pk], "last_seen_at", early)
        bulk.raise_to(Member, [], "last_seen_at", late)
    seen = dict(Member.objects.values_list("pk", "last_seen_at"))
    assert [seen[first.pk], seen[second.pk], seen[other.pk]] == [NOON + timedelta(hours=1), late, NOON]


def test_rows_are_added_whose_ids_nobody_asks_for(some):
    first, second = Message.objects.order_by("pk")[:2]
    bulk.add([bulk.new(Original, message_id=each.pk, content=b"\x00\xff", size=2) for each in (first, second)])
    assert [(bytes(each.content), each.size) for each in Original.objects.all()] == [(b"\x00\xff", 2)] * 2
    before = Job.objects.count()
    bulk.add([bulk.new(Job, task="x", args={"n": "ñ"}, due_at=NOON, created_at=NOON)])
    bulk.add([])
    job = Job.objects.latest("pk")
    assert (Job.objects.count(), job.task, job.args, job.key, job.state) == (
        before + 1,
        "x",
        {"n": "ñ"},
        None,
        "waiting",
    )


def test_what_is_written_ahead_is_there_when_it_is_asked_for(some):
    with transaction.atomic(), bulk.ahead():
        bulk.reserve(Identity)
        bulk.insert([row := bulk.new(Identity, account_id=some.pk, remote_id="new")])
        bulk.add([bulk.new(Identity, account_id=some.pk, remote_id=name) for name in ("newer", "newest")])
        row.name = "Ána"
        bulk.update([row], ["name"])
        assert Identity.objects.filter(name="Ána", remote_id="new", pk=row.pk).update(handle="ana") == 1
        asked = bulk.ask(Identity, "id", [row.pk])
        assert [found.remote_id for found in bulk.find(Identity, "remote_id", ["newer", "newest"])] == [
            "newer", "newest",
        ]  # fmt: skip
        assert [found.handle for found in asked.rows()] == ["ana"]
    bulk.insert([another := bulk.new(Identity, account_id=some.pk, remote_id="after")])
    assert another.pk > row.pk


def test_what_fails_ahead_fails_inside_the_block_and_leaves_nothing(some):
    def write():
        with transaction.atomic(), bulk.ahead():
            bulk.add([bulk.new(Identity, account_id=some.pk, remote_id="new")])
            bulk.add([bulk.new(Identity, account_id=some.pk, remote_id="new")])

    before = Identity.objects.count()
    with pytest.raises(IntegrityError):
        write()
    assert Identity.objects.count() == before


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL keeps plans")
def test_what_lists_many_values_is_planned_each_time(some):
    """A plan that is kept from an empty desk would go through all of an account's messages."""
    rows = bulk.find(Identity, "remote_id", ["p1"])
    for count in (bulk.MANY - 1, bulk.MANY):
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        connection.connection._prepared.clear()
        for _ in range(4):
            bulk.find(Message, "remote_id", [f"m{n}" for n in range(count)], account_id=some.pk)
            bulk.update(rows * count, ["name"])
            bulk.raise_to(Account, range(count), "next_poll_at", NOON)
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            kept = [statement for (statement,) in cursor.fetchall()]
        assert len(kept) == (3 if count < bulk.MANY else 0), kept


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL keeps plans")
def test_a_plan_is_kept_for_a_while_only(some, monkeypatch):
    said = []
    execute = connection.connection.execute
    monkeypatch.setattr(connection.connection, "execute", lambda sql: said.append(sql) or execute(sql))
    bulk.find(Message, "remote_id", ["m1"])
    assert said == []
    monkeypatch.setattr(connections["default"], "planned_at", bulk.monotonic() - bulk.REPLAN - 1, raising=False)
    assert bulk.find(Message, "remote_id", ["m1"])
    assert bulk.find(Message, "remote_id", ["m1"])
    assert said == ["DISCARD PLANS"]
