"""Outcomes are raised in English and read in the reader's language."""

from __future__ import annotations

import pytest
from django.utils import translation

from conftest import NOON, person
from tertulia.channels import actions
from tertulia.core.models import Activity
from tertulia.core.sentences import in_spanish, told
from tertulia.flows import notify
from tertulia.team import notices
from tertulia.team.models import Notification

WORDS = {"Gone.": "Ya no está.", "The server refused: {}": "El servidor se niega: {}", "{} of {}": "{} de {}"}


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("Gone.", "Ya no está."),
        ("The server refused: rate (.*) 5", "El servidor se niega: rate (.*) 5"),
        ("3 of 4", "3 de 4"),
        ("Something else.", ""),
        ("", ""),
    ],
)
def test_a_sentence_keeps_the_networks_own_words(english, spanish):
    assert in_spanish(english, WORDS) == spanish


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("The server can't be reached.", "No se llega al servidor."),
        ("Reading it took too long.", "Leerlo ha tardado demasiado."),
        ("Matrix: M_FORBIDDEN", "Matrix: M_FORBIDDEN"),
        ("The server refused. Text is blank", "El servidor se ha negado: Text is blank"),
        ("A network's own words", "A network's own words"),
        ("", ""),
    ],
)
def test_the_reader_decides_the_language(english, spanish):
    with translation.override("en"):
        assert told(english) == english
    with translation.override("es"):
        assert told(english) == spanish


@pytest.mark.django_db
def test_people_of_two_languages_each_read_what_is_wrong_in_theirs(site, brand):
    alba = person("Alba", brand)
    actions.ask_for_attention(account_id=site.pk, why="This chat has no signing key.", at=NOON)
    notify.tell(activity_ids=[Activity.objects.get(type="account.attention").pk])
    notification = Notification.objects.get(user=alba)
    with translation.override("es"):
        assert notices.lines([notification])[0].text.endswith("Este chat no tiene clave de firma.")
    with translation.override("en"):
        assert notices.lines([notification])[0].text.endswith("This chat has no signing key.")
