"""Somebody writes in the moment in which they are found to be somebody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for

import pytest
from django.conf import settings
from django.db import IntegrityError, connection

from conftest import NOON, envelope
from tertulia.channels.models import Message
from tertulia.community.models import Joining, Member
from tertulia.connectors.contract import Author
from tertulia.flows import inbound
from tertulia.inbox import joining
from tertulia.inbox.actions import Problem
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
DIEGO = Author(remote_id="diego", name="Diego")


@pytest.fixture(autouse=True)
def _a_database_that_bears_it(transactional_db):
    if connection.vendor == "sqlite" and "memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("SQLite in memory answers a second writer at once with an error; in a file it lets it wait")


@pytest.fixture
def two(site) -> tuple[Member, Member]:
    inbound.intake(site, [envelope("Soy Diego", author=DIEGO), envelope(remote_id="m2", thread="otro")], at=NOON)
    return Member.objects.get(name="Otro"), Member.objects.get(name="Diego")


def test_a_conversation_begun_meanwhile_is_not_deleted_with_the_person(site, two, alba, monkeypatch):
    kept, other = two
    again = envelope("¿Y mañana?", remote_id="m3", thread="diego-2", author=DIEGO)

    def take_in() -> None:
        try:
            inbound.intake(site, [again], at=NOON)
        except IntegrityError:  # as a network repeats what was not taken
            inbound.intake(site, [again], at=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        writing = []
        begin = Joining.objects.filter

        def meanwhile(**facts):
            writing.append(pool.submit(take_in))
            wait_for(writing, timeout=1)
            return begin(**facts)

        monkeypatch.setattr(Joining.objects, "filter", meanwhile)
        joining.join(kept=kept, other=other, by=alba, at=NOON)
        writing[0].result(10)
    assert Conversation.objects.get(thread_id="diego-2").member_id == kept.pk
    assert Message.objects.filter(thread_id="diego-2").count() == 1


def test_two_who_join_the_same_people_the_other_way_round_leave_one_of_them(two, alba):
    kept, other = two
    joining.join(kept=kept, other=Member.objects.get(pk=other.pk), by=alba, at=NOON)
    with pytest.raises(Problem):
        joining.join(kept=other, other=kept, by=alba, at=NOON)
    assert list(Member.objects.all()) == [kept]
