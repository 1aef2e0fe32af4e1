"""The help page of a channel says what the connector's own table says, line by line, in both languages."""

from __future__ import annotations

from html import escape
from typing import get_args

import pytest

from conftest import NOON, PASSWORD, envelope, person
from tertulia.channels import abilities
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.connectors.contract import Act, Kind
from tertulia.flows import inbound
from tertulia.inbox.models import Conversation
from tertulia.team.permissions import Role

CHANNELS = "/b/horno-candela/channels/"


def account_of(brand, kind: str) -> Account:
    return Account.objects.create(brand=brand, kind=kind, name="Nuestra cuenta", created_at=NOON)


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("kind", registry.all_connectors())
def test_every_line_of_the_table_stands_there(as_bruno, bruno, brand, kind, language):
    bruno.language = language
    bruno.save()
    account, connector = account_of(brand, kind), registry.get(kind)
    answer = as_bruno.get(f"{CHANNELS}{account.pk}/help/")
    page = answer.content.decode()
    for line in connector.capabilities.can:
        assert escape(line.note.get(language, "")) in page, line
    for why in connector.capabilities.cannot.values():
        assert escape(why[language]) in page
    assert len(answer.context["theirs"] + answer.context["ours"]) == len(connector.capabilities.can)


def test_what_is_possible_only_with_some_messages_says_with_which(as_bruno, brand):
    answer = as_bruno.get(f"{CHANNELS}{account_of(brand, 'telegram').pk}/help/")
    lines = {(one.name, one.within): [str(kind) for kind, can in one.cells if can] for one in answer.context["theirs"]}
    groups, private = ["Comentario en algo nuestro", "Mención en otro sitio"], ["Mensaje privado"]
    assert lines["Responder", ""] == [*groups, *private]
    assert lines["Quitar para todos", ""] == groups
    assert lines["Quitar para todos", "durante 2 d desde el mensaje"] == private


def test_limit_is_the_servers_own(as_bruno, brand):
    account = account_of(brand, "mastodon")
    assert "500 caracteres" in as_bruno.get(f"{CHANNELS}{account.pk}/help/").content.decode()
    Account.objects.update(settings={"max_text": 5000})
    assert "5000 caracteres" in as_bruno.get(f"{CHANNELS}{account.pk}/help/").content.decode()


def test_every_act_and_every_kind_has_a_name():
    assert set(abilities.KINDS) == set(get_args(Kind))
    assert [act for act in get_args(Act) if abilities.words(act)[0] == act] == []


def test_everybody_who_reads_may_see_it(brand, site, client):
    for role in Role:
        assert client.login(username=person(f"R{role}", brand, role).email, password=PASSWORD)
        assert client.get(f"{CHANNELS}{site.pk}/help/").status_code == 200


def test_composer_and_the_channels_page_lead_there(as_alba, brand, site):
    inbound.intake(site, [envelope()], at=NOON)
    conversation = Conversation.objects.get()
    address = f'href="{CHANNELS}{site.pk}/help/"'
    assert address in as_alba.get(f"/b/horno-candela/inbox/{conversation.pk}/").content.decode()
    assert address in as_alba.get(f"{CHANNELS}{site.pk}/").content.decode()


def test_channel_whose_connector_is_gone_has_none(as_bruno, brand):
    assert as_bruno.get(f"{CHANNELS}{account_of(brand, 'telex').pk}/help/").status_code == 404
