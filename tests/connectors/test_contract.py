"""What every connector promises, asked of each one and of each of its samples.

A package of its own inherits all of it with two lines in its tests:

    from connectors.test_contract import *  # noqa: F403
    CONNECTORS = {"mine": MyConnector}

and, when it speaks to a network, `SPEAKERS = {"mine": …}` beside them.

Samples stand in the connector's folder: `samples/<name>.in.json` says which call is made with what, and
`samples/<name>.out.json` what comes of it: `receive` (headers, query, body), `write_down` (noted), `read_original` (the
file as text), `fetch` and `reread` (cursor, and in `http` what the network answered, each {"method", "path", "json"}).
`samples/<name>.figures.json` says what a network answered when it was asked for its counts under `posts`, and what they
are: `figures` by post, and `account_figures`.
A connector that speaks to a network has a double of it too: see `fakes/speaker.py`.
"""

from __future__ import annotations

import ast
import copy
import inspect
import json
import logging
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest

from fakes.connector import EVERYBODY, KINDS
from fakes.network import SIGNING, TOKEN, Network, running
from fakes.speaker import Seen, Speaker, speakers
from film_cast import PAN
from tertulia.connectors import contract, registry
from tertulia.connectors.contract import (
    VOTES,
    About,
    Author,
    BadPayload,
    Connector,
    Draft,
    Envelope,
    Inbound,
    Item,
    Noted,
    Outcome,
    Page,
    Picture,
    Target,
)
from tertulia.core import counting, films
from tertulia.core.http import Answer, Door
from tertulia.core.redact import redact
from tertulia.core.sentences import in_spanish

CONNECTORS = registry.all_connectors()
TWISTS = [None, "", 0, -1, 10**30, 1.5, True, [], {}, [[]], "\u0000", "\ud800", "x" * 300_000, "REMOVED"]
AT = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


@dataclass
class SampleAccount:
    id: int = 1
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


def fake_account(network: Network) -> SampleAccount:
    return SampleAccount(settings={"url": network.url}, secrets={"token": TOKEN, "signing": SIGNING})


SPEAKERS = {
    key: Speaker(
        connector,
        lambda: running(Network(hang_seconds=2.2)),
        fake_account,
        Target("diego"),
        (TOKEN, SIGNING),
        published=lambda network: [
            Seen(
                one["text"],
                one["above"],
                [alt for _id, alt in one["pictures"]],
                films=sum(
                    each["type"] == "video/mp4"
                    for each in network.pictures
                    if each["id"] in [id for id, _alt in one["pictures"]]
                ),
            )
            for one in network.posts
            if one["thread"] == EVERYBODY and one["id"] not in network.deleted
        ],
    )
    for key, connector in KINDS.items()
} | speakers()


class NoNetwork:
    """Connectors that need no network never reach for it."""

    def request(self, method: str, url: str, **said: Any) -> Any:
        raise AssertionError(f"{method} {url} left the house")


class Recorded:
    """A network that answers what a sample says it answered; anything else is not there."""

    def __init__(self, answers: list[dict[str, Any]]) -> None:
        self.answers = list(answers)

    def request(self, method: str, url: str, **said: Any) -> Any:
        path = urlsplit(url).path
        fitting = [one for one in self.answers if (one["method"], one["path"]) == (method, path)]
        if not fitting:
            return Answer(404, {}, b"{}")
        if len(fitting) > 1:
            self.answers.remove(fitting[0])
        said_back = fitting[0]
        body = said_back["text"] if "text" in said_back else json.dumps(said_back.get("json"))
        return Answer(said_back.get("status", 200), said_back.get("headers", {}), body.encode(errors="surrogatepass"))


@dataclass(frozen=True)
class Sample:
    connector: type[Connector]
    name: str
    given: dict[str, Any]
    expected: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.connector.key}-{self.name}"


def folder(connector: type[Connector]) -> Path:
    return Path(inspect.getfile(connector)).parent


def samples(connector: type[Connector]) -> list[Sample]:
    found = []
    for given in sorted(folder(connector).glob("samples/*.in.json")):
        expected = given.with_name(given.name.replace(".in.", ".out."))
        name = given.name.removesuffix(".in.json")
        found.append(Sample(connector, name, json.loads(given.read_text()), json.loads(expected.read_text())))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each connector, each of its samples and each double, of the module that inherits this one."""
    connectors: dict[str, type[Connector]] = metafunc.module.CONNECTORS
    if "connector" in metafunc.fixturenames:
        metafunc.parametrize("connector", connectors.values(), ids=list(connectors))
    if "sample" in metafunc.fixturenames:
        found = [sample for connector in connectors.values() for sample in samples(connector)]
        metafunc.parametrize("sample", found, ids=str)
    for name, by_hand in (("speaker", False), ("speaker_by_hand", True)):
        if name in metafunc.fixturenames:
            speaking = {key: one for key, one in metafunc.module.SPEAKERS.items() if one.by_hand is by_hand}
            metafunc.parametrize(name, speaking.values(), ids=list(speaking))


def read(sample: Sample, given: dict[str, Any] | None = None) -> list[Envelope]:
    """Make the sample's call."""
    given = given or sample.given
    if given["call"] in {"fetch", "reread"}:
        return list(page(sample, given).envelopes)
    connector = sample.connector(NoNetwork())  # type: ignore[arg-type]
    account = SampleAccount(**given["account"])
    if given["call"] == "read_original":
        return [connector.read_original(account, given["body"].encode(errors="surrogateescape"))]
    if given["call"] == "write_down":
        noted = {**given["noted"], "happened_at": moment(given["noted"]["happened_at"])}
        about = About(**noted["about"]) if noted.get("about") else None
        return [connector.write_down(account, Noted(**{**noted, "about": about}))]
    body = given["body"] if isinstance(given["body"], str) else json.dumps(given["body"])
    inbound = Inbound(
        headers=given["headers"],
        query=given["query"],
        body=body.encode(errors="surrogatepass"),
        at=moment(given["at"]),
        remote_address="203.0.113.7",
    )
    return connector.receive(account, inbound)


def page(sample: Sample, given: dict[str, Any]) -> Page:
    """What a reading gives, with the answers that the network gave then."""
    connector = sample.connector(Recorded(given["http"]))  # type: ignore[arg-type]
    account, cursor = SampleAccount(**given["account"]), given.get("cursor", "")
    if given["call"] == "fetch":
        return connector.fetch(account, cursor)
    return connector.reread(account, moment(given["since"]), moment(given["until"]), cursor)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


# It declares itself.


def test_it_declares_itself_in_spanish_and_english(connector):
    texts = [
        connector.name,
        *(one.label for one in connector.fields),
        *(one.help for one in connector.fields if one.help),
        *([connector.about] if connector.about else []),
    ]
    texts += [text for one in connector.fields for _value, text in one.choices]
    for text in texts:
        assert set(text) >= {"en", "es"}
        assert all(said.strip() for said in text.values())
    assert connector.key == connector.key.lower()
    assert len(connector.key) <= 40


def test_it_has_an_icon_and_dated_notes(connector):
    icon = ET.parse(folder(connector) / "icon.svg").getroot()
    assert icon.tag == "{http://www.w3.org/2000/svg}svg"
    assert icon.get("viewBox")
    assert "script" not in (folder(connector) / "icon.svg").read_text().lower()
    assert "Last checked 20" in (folder(connector) / "notes.md").read_text()


def test_its_secrets_are_fields_and_generated_ones_are_long_and_fresh(connector):
    generated = connector.generated_secrets()
    assert set(generated) <= {one.name for one in connector.fields if one.kind == "secret"}
    assert all(len(value) >= 32 and value != connector.generated_secrets()[name] for name, value in generated.items())


def test_it_knows_neither_django_nor_the_house(connector):
    for file in folder(connector).glob("*.py"):
        assert "django" not in file.read_text()


# It reads.


def test_each_sample_gives_the_expected_envelopes(sample):
    envelopes = read(sample)
    assert len(envelopes) == len(sample.expected)
    for envelope, expected in zip(envelopes, sample.expected, strict=True):
        told = as_told(envelope)
        told["author"] = {name: value for name, value in told["author"].items() if name in expected["author"]}
        assert {name: told[name] for name in expected} == expected
        check(envelope)


def test_reading_twice_gives_the_same_ids(sample):
    first, second = read(sample), read(sample)
    assert [one.remote_id for one in first] == [one.remote_id for one in second]
    assert [one.thread_id for one in first] == [one.thread_id for one in second]


def test_every_value_twisted_in_turn_is_read_well_typed_or_refused(sample):
    if sample.given["call"] in {"fetch", "reread"}:
        for number, answer in enumerate(sample.given["http"]):
            for place in places(answer.get("json")):
                for twist in TWISTS:
                    answers = list(sample.given["http"])
                    answers[number] = {**answer, "json": twisted(answer["json"], place, twist)}
                    read_or_refused(sample, {**sample.given, "http": answers})
        return
    if sample.given["call"] != "receive":
        pytest.skip("written by our own form, or no data of names and values")
    for place in places(sample.given["body"]):
        for twist in TWISTS:
            given = {**sample.given, "body": twisted(sample.given["body"], place, twist)}
            read_or_refused(sample, given)


def read_or_refused(sample: Sample, given: dict[str, Any]) -> None:
    try:
        envelopes = read(sample, given)
    except BadPayload:
        return
    for envelope in envelopes:
        check(envelope)


def test_a_wrong_signature_is_refused_as_forged(sample):
    for part in sample.given.get("signed", []):
        for wrong in ("", "x", "REMOVED", tampered(value_at(sample.given["body"], part))):
            given = {**sample.given, "body": twisted(sample.given["body"], (part,), wrong)}
            with pytest.raises(BadPayload) as bad:
                read(sample, given)
            assert bad.value.forged


def test_without_its_secret_it_is_closed_not_open(sample):
    if not sample.given["account"]["secrets"] or sample.given["call"] != "receive":
        pytest.skip("nothing is signed here")
    for secrets in ({}, dict.fromkeys(sample.given["account"]["secrets"], "")):
        given = {**sample.given, "account": {**sample.given["account"], "secrets": secrets}}
        with pytest.raises(BadPayload) as bad:
            read(sample, given)
        assert bad.value.forged


@pytest.mark.parametrize(
    "body",
    ["", "[" * 100_000, '{"a":NaN}', "null", "[]", '"x"', '{"a":1,"a":2}', "9" * 5000, "<html>", '{"a":"\\ud800"}'],
    ids=["empty", "deep", "nan", "null", "list", "text", "twice", "long-number", "html", "surrogate"],
)
def test_a_hostile_body_is_refused_and_nothing_else(sample, body):
    if sample.given["call"] == "receive":
        with pytest.raises(BadPayload):
            read(sample, {**sample.given, "body": body})


def test_its_secrets_are_in_no_envelope_log_or_error(sample, caplog):
    caplog.set_level(logging.DEBUG)
    told = repr(read(sample))
    try:
        read(sample, {**sample.given, "body": "{", "http": [{"method": "GET", "path": "/", "text": "{"}]})
    except (Outcome, KeyError) as error:
        told += repr(error) + str(error)
    told += caplog.text
    for secret in sample.given["account"]["secrets"].values():
        assert secret not in told


# It counts.


def counting_samples(connector: type[Connector]) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(folder(connector).glob("samples/*.figures.json"))]


def counted(connector: type[Connector], given: dict[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, int]]:
    """The figures of the sample's posts and of its account; each call gets all its answers."""
    account, tells = SampleAccount(**given["account"]), connector.capabilities.tells
    posts = [Target(id, remote_id=id, kind="post", is_ours=True) for id in given["posts"]]
    of_posts = connector(Recorded(given["http"])).figures(account, posts)  # type: ignore[arg-type]
    if tells is None or not tells.of_account:
        return of_posts, {}
    return of_posts, connector(Recorded(given["http"])).account_figures(account)  # type: ignore[arg-type]


def test_it_tells_only_the_figures_the_network_gave(connector):
    tells, given = connector.capabilities.tells, counting_samples(connector)
    if tells is None:
        assert not given
        for ask in (lambda one: one.figures(SampleAccount(), []), lambda one: one.account_figures(SampleAccount())):
            with pytest.raises(contract.Unsupported):
                ask(connector(NoNetwork()))
        return
    seen: set[str] = set()
    for sample in given:
        of_posts, of_account = counted(connector, sample)
        assert (of_posts, of_account) == (sample["figures"], sample.get("account_figures", {}))
        seen |= {name for figures in of_posts.values() for name in figures} | set(of_account)
    votes = {name for name in seen if name.startswith(VOTES)}
    assert (seen - votes, bool(votes)) == (tells.of_posts | tells.of_account, tells.polls), (
        "what is declared has a sample"
    )


def test_every_count_twisted_in_turn_is_a_count_or_missing(connector):
    tells = connector.capabilities.tells
    if tells is None:
        pytest.skip("it tells no figures")
    names = {*tells.of_posts, *tells.of_account}
    for given in counting_samples(connector):
        for number, answer in enumerate(given["http"]):
            for place in places(answer.get("json")):
                for twist in TWISTS:
                    answers = list(given["http"])
                    answers[number] = {**answer, "json": twisted(answer["json"], place, twist)}
                    try:
                        of_posts, of_account = counted(connector, {**given, "http": answers})
                    except Outcome:
                        continue
                    assert set(of_posts) <= set(given["posts"])
                    for figures in (*of_posts.values(), of_account):
                        assert {name for name in figures if not name.startswith(VOTES)} <= names
                        assert all(type(value) is int and 0 <= value < 2**53 for value in figures.values())


# It writes.


def test_a_key_that_lives_a_while_is_one_the_network_knows(connector):
    capabilities = connector.capabilities
    assert capabilities.keys_live is None or (capabilities.repeats_safely and capabilities.keys_live > 0)


def test_what_it_can_write_is_safe_to_send_with_the_same_key_twice_or_says_so(connector):
    if not is_without_network(connector) or connector.capabilities.is_posted:
        pytest.skip("asked of its double")
    account = account_of(connector)
    one, again = (connector(NoNetwork()).reply(account, Target("thread"), "Hola", "key-1") for _ in range(2))
    other = connector(NoNetwork()).reply(account, Target("thread"), "Hola", "key-2")
    assert one == again
    assert other.remote_id != one.remote_id
    assert connector.capabilities.repeats_safely


def test_a_text_that_is_too_long_never_leaves(connector):
    longest = connector.capabilities.max_text
    if longest is None or "reply" not in connector.capabilities.writes:
        pytest.skip("there is no longest text")
    with pytest.raises(Outcome):
        connector(NoNetwork()).reply(account_of(connector), Target("thread"), "x" * (longest + 1), "key")


@pytest.fixture
def network(speaker: Speaker) -> Iterator[Any]:
    with speaker.running() as network:
        yield network


def test_a_connector_that_speaks_to_a_network_has_a_double_of_it(connector, request):
    speaks = not is_without_network(connector) and connector.capabilities.can
    assert not speaks or connector.key in request.module.SPEAKERS


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("401", contract.Reconnect),
        ("429", contract.Retry),
        ("500", contract.Retry),
        ("503", contract.Retry),
        ("html_502", contract.Retry),
        ("400", contract.Refused),
        ("accept_then_hang", contract.Unknown),
        ("accept_then_cut", contract.Unknown),
        ("accept_then_half", contract.Unknown),
        ("accept_then_html", contract.Unknown),
    ],
)
def test_an_answer_over_http_becomes_its_outcome(network, speaker, fault, outcome):
    network.faults.append(fault)
    with pytest.raises(outcome) as ended:
        publish(speaker, network)
    assert len(network.posts) == (1 if outcome is contract.Unknown else 0)
    assert fault != "429" or ended.value.after == timedelta(seconds=90)


def test_a_network_that_isnt_there_is_tried_again(network, speaker):
    network.url = "http://127.0.0.1:9"
    with pytest.raises(contract.Retry):
        publish(speaker, network)


def test_the_same_key_twice_is_one_post_or_can_be_found(network, speaker):
    connector = speaker.connector
    network.honours_keys = connector.capabilities.repeats_safely
    first = publish(speaker, network)
    if connector.capabilities.repeats_safely:
        assert publish(speaker, network) == first
        assert len(network.posts) == 1
    if connector.capabilities.finds:
        assert found(speaker, network, "key-1") == first
        assert found(speaker, network, "another") is None


def test_no_secret_is_in_a_log_or_an_error_even_when_the_network_echoes_it(network, speaker, caplog):
    caplog.set_level(logging.DEBUG)
    told = ""
    for fault in ("401", "429", "500", "400", "echo_secret_500", "accept_then_cut", "cut_before"):
        network.faults.append(fault)
        with pytest.raises(Outcome) as ended:
            publish(speaker, network)
        told += repr(ended.value) + str(ended.value)
    for secret in speaker.secrets:
        assert secret not in told + caplog.text


def test_what_a_person_has_to_do_is_ready_to_copy_and_says_where(speaker_by_hand):
    with speaker_by_hand.running() as network:
        with pytest.raises(contract.ByHand) as task:
            publish(speaker_by_hand, network)
        assert network.requests == []
    assert (task.value.text, task.value.url) == ("Hola", speaker_by_hand.target.url)
    assert task.value.url.startswith(("https://", "http://"))


def test_what_can_be_written_down_is_what_it_reads(connector):
    kinds = connector(NoNetwork()).noted_kinds(account_of(connector))
    assert set(kinds) == connector.capabilities.reads
    for kind in kinds if connector.capabilities.by_hand else ():
        noted = Noted("key", "person", kind, "Hola", AT)
        envelope = connector(NoNetwork()).write_down(account_of(connector), noted)
        assert (envelope.kind, envelope.text, envelope.author.remote_id) == (kind, "Hola", "person")
        check(envelope)


def test_every_act_of_its_table_takes_effect_and_is_taken_back_where_it_says_so(network, speaker):
    connector, account = opened(speaker), speaker.account(network)
    for line in speaker.connector.capabilities.can:
        if line.act == "reply":
            continue
        on = speaker.targets.get(line.act, speaker.target)
        connector.act(account, line.act, on, f"key-{line.act}", because="Norma 3")
        assert network.acts[-1] == (line.act, False)
        if line.undoes:
            connector.act(account, line.act, on, f"key-{line.act}-undo", undo=True)
            assert network.acts[-1] == (line.act, True)


def opened(speaker: Speaker) -> Connector:
    return speaker.open(speaker.connector, Door(total=1.5))


def publish(speaker: Speaker, network: Any) -> contract.Receipt:
    return opened(speaker).reply(speaker.account(network), speaker.target, "Hola", "key-1")


def found(speaker: Speaker, network: Any, key: str) -> contract.Receipt | None:
    return opened(speaker).find(speaker.account(network), key)


# It publishes.

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0\0\2\0\1H\xaf\xa4q"
    b"\0\0\0\0IEND\xaeB`\x82"
)


def a_draft(connector: type[Connector], text: str = "Pan de pueblo", **more: Any) -> Draft:
    """One that the network takes: with a title where it needs one."""
    rule = connector.capabilities.publishes
    assert rule is not None
    return Draft(text, title="Pan" if "title" in rule.hints else "", **more)


def a_picture(name: str = "pan.png", **more: Any) -> Picture:
    return Picture(
        **{"name": name, "type": "image/png", "size": len(PNG), "width": 1, "height": 1, "content": PNG, **more}
    )


def a_film(**more: Any) -> Picture:
    how = {"name": "pan.mp4", "type": "video/mp4", "size": len(PAN), "width": 160, "height": 90, "seconds": 1.0}
    return Picture(**{**how, "content": PAN, **more})


def say(speaker: Speaker, network: Any, draft: Draft, key: str = "post-1") -> contract.Receipt:
    """Hand the pictures in, then publish, as the house does."""
    connector, account = opened(speaker), speaker.account(network)
    taken = connector.pictures_taken(account)
    if taken and taken.uploads:
        pictures = [
            replace(one, id=connector.attach(account, one, f"{key}-{number}"), content=b"")
            for number, one in enumerate(draft.pictures)
        ]
        draft = replace(draft, pictures=pictures)
    return connector.publish(account, draft, key)


def publishing(speaker: Speaker) -> contract.Publishes:
    rule = speaker.connector.capabilities.publishes
    if rule is None:
        pytest.skip("nothing is published here")
    return rule


def seen(speaker: Speaker, network: Any) -> list[Seen]:
    assert speaker.published is not None
    return speaker.published(network)


def test_what_it_says_of_publishing_fits_together(connector):
    rule = connector.capabilities.publishes
    if rule is None:
        pytest.skip("nothing is published here")
    assert "post" in rule.kinds
    assert rule.needs <= rule.hints
    assert ("visibility" in rule.hints) == bool(rule.visible)
    assert all(set(text) >= {"en", "es"} for _name, text in rule.visible)
    assert rule.keys_live is None or rule.repeats_safely
    assert rule.shows_own_within is None or rule.finds
    assert rule.caption is None or rule.pictures
    assert rule.names is None or re.fullmatch(rule.names.form, rule.names.such_as.removeprefix("@"))
    assert not rule.deletes or connector.capabilities.by_hand or "delete" in connector.capabilities.writes


def test_a_post_that_does_not_fit_never_leaves(connector):
    rule = connector.capabilities.publishes
    if rule is None or connector.capabilities.by_hand:
        pytest.skip("nothing is published here by a program")
    asked, account = connector(NoNetwork()), account_of(connector)
    bad = {"empty": a_draft(connector, " ")}
    if rule.longest is not None:
        bad["long"] = a_draft(connector, "n" * (rule.longest + 1))
    if "title" in rule.needs:
        bad["title"] = replace(a_draft(connector), title=" ")
    if rule.visible:
        bad["visibility"] = a_draft(connector, visibility="nobody")
    if unheard := sorted({"part", "comment"} - rule.kinds):
        bad["kind"] = a_draft(connector, kind=unheard[0])
    if rule.pictures is None:
        bad["no_pictures"] = a_draft(connector, pictures=[a_picture()])
    else:
        bad["many"] = a_draft(connector, pictures=[a_picture()] * (rule.pictures.most + 1))
        bad["type"] = a_draft(connector, pictures=[a_picture(type="image/svg+xml")])
        if rule.pictures.largest is not None:
            bad["large"] = a_draft(connector, pictures=[a_picture(size=rule.pictures.largest + 1)])
        if rule.pictures.most_pixels is not None:
            bad["pixels"] = a_draft(connector, pictures=[a_picture(width=rule.pictures.most_pixels + 1)])
        if rule.pictures.alt:
            bad["alt"] = a_draft(connector, pictures=[a_picture(alt="n" * (rule.pictures.alt + 1))])
        if rule.caption is not None:
            bad["caption"] = a_draft(connector, "n" * (rule.caption + 1), pictures=[a_picture()])
    if rule.films is None:
        bad["no_films"] = a_draft(connector, pictures=[a_film()])
    else:
        bad["many_films"] = a_draft(connector, pictures=[a_film()] * (rule.films.most + 1))
        bad["type of film"] = a_draft(connector, pictures=[a_film(type="video/x-msvideo")])
        if not rule.films.mixes:
            bad["mixed"] = a_draft(connector, pictures=[a_picture(), a_film()])
        if rule.films.largest is not None:
            bad["heavy"] = a_draft(connector, pictures=[a_film(size=rule.films.largest + 1)])
        if rule.films.longest is not None:
            bad["lasting"] = a_draft(connector, pictures=[a_film(seconds=rule.films.longest + 1)])
        if rule.films.alt:
            bad["alt of film"] = a_draft(connector, pictures=[a_film(alt="n" * (rule.films.alt + 1))])
    for code, draft in bad.items():
        code = {"type of film": "type", "alt of film": "alt"}.get(code, code)
        assert (code if code != "caption" else "long") in [one.code for one in asked.misfits(account, draft)], code
        with pytest.raises(contract.Refused) as refused:
            asked.publish(account, draft, "key")
        assert in_spanish(refused.value.why, contract.SENTENCES), code


def test_it_counts_a_text_as_it_says(connector):
    rule = connector.capabilities.publishes
    if rule is None or rule.longest is None:
        pytest.skip("there is no longest text")
    asked, account = connector(NoNetwork()), account_of(connector)
    lengths = {
        "characters": len, "graphemes": counting.graphemes, "utf16": counting.utf16, "bytes": counting.utf8,
        "x": counting.x_weighted, "mastodon": counting.graphemes, "bluesky": counting.graphemes,
    }  # fmt: skip
    for text in ("Pan", "pan 🥖", "á"):
        assert asked.post_length(account, Draft(text)) == lengths[rule.counted](text)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("401", contract.Reconnect),
        ("429", contract.Retry),
        ("500", contract.Retry),
        ("html_502", contract.Retry),
        ("400", contract.Refused),
        ("accept_then_hang", contract.Unknown),
        ("accept_then_cut", contract.Unknown),
        ("accept_then_half", contract.Unknown),
        ("accept_then_html", contract.Unknown),
    ],
)
def test_an_answer_to_a_post_becomes_its_outcome(network, speaker, fault, outcome):
    publishing(speaker)
    before = len(seen(speaker, network))
    network.faults.append(fault)
    with pytest.raises(outcome):
        say(speaker, network, a_draft(speaker.connector))
    assert len(seen(speaker, network)) - before == (1 if outcome is contract.Unknown else 0)


def test_the_same_post_twice_is_one_or_can_be_found(network, speaker):
    rule = publishing(speaker)
    before = len(seen(speaker, network))
    network.honours_keys = rule.repeats_safely
    draft = a_draft(speaker.connector)
    first = say(speaker, network, draft)
    if rule.repeats_safely:
        assert say(speaker, network, draft) == first
        assert len(seen(speaker, network)) == before + 1
    if rule.finds:
        connector, account = opened(speaker), speaker.account(network)
        assert connector.find_post(account, draft, "post-1") == first
        assert connector.find_post(account, draft, "another") is None


def test_a_post_arrives_with_its_words_and_pictures_and_what_goes_below_it(network, speaker):
    rule = publishing(speaker)
    before = len(seen(speaker, network))
    pictures = [a_picture(alt="Una «hogaza» & más")] if rule.pictures else []
    first = say(speaker, network, a_draft(speaker.connector, "Pan\n\n<b>negro</b> & ñ 🥖", pictures=pictures))
    shown = seen(speaker, network)[before]
    alts = ["Una «hogaza» & más" if rule.pictures and rule.pictures.alt else ""] if pictures else []
    assert (shown.text, shown.above, shown.alts) == ("Pan\n\n<b>negro</b> & ñ 🥖", "", alts)
    above, told = Target(first.remote_id, first.remote_id, hints=first.hints, kind="post", is_ours=True), [first]
    for number, kind in enumerate(sorted(rule.kinds - {"post"})):
        below = say(speaker, network, a_draft(speaker.connector, kind, kind=kind, above=above), f"below-{number}")
        assert (seen(speaker, network)[-1].text, seen(speaker, network)[-1].above) == (kind, first.remote_id)
        told.append(below)
    assert len({one.remote_id for one in told}) == len(told)
    assert all(isinstance(value, str) for one in told for value in one.hints.values())


def test_a_film_arrives_as_a_film_with_its_description(network, speaker):
    rule = publishing(speaker).films
    if rule is None:
        pytest.skip("there are no films here")
    before = len(seen(speaker, network))
    say(speaker, network, a_draft(speaker.connector, "Cómo se da forma al pan", pictures=[a_film(alt="Manos & masa")]))
    shown = seen(speaker, network)[before:]
    alts = ["Manos & masa" if rule.alt else ""]
    assert [(one.text, one.alts, one.films) for one in shown] == [("Cómo se da forma al pan", alts, 1)]
    if rule.mixes:
        both = [a_film(alt="Manos & masa"), a_picture(alt="Una hogaza")]
        say(speaker, network, a_draft(speaker.connector, "Pan", pictures=both), "both")
        shown = seen(speaker, network)[before + 1 :]
        assert (sum(one.films for one in shown), sum(len(one.alts) for one in shown)) == (1, 2)


def test_what_it_says_of_films_can_be_kept(connector):
    rule = connector.capabilities.publishes
    if rule is None or rule.films is None:
        pytest.skip("there are no films here")
    assert rule.pictures  # they travel as pictures do
    assert rule.films.most > 0
    assert rule.films.types <= films.TYPES
    assert "video/mp4" in rule.films.types


def test_a_poll_arrives_with_its_options(network, speaker):
    rule = publishing(speaker).polls
    if rule is None:
        pytest.skip("there are no polls here")
    poll = contract.Poll(("Sí, & «claro»", "No", "A veces"), 3600, multiple=True)
    say(speaker, network, a_draft(speaker.connector, "¿Pan de espelta?", poll=poll))
    shown = seen(speaker, network)[-1]
    assert (shown.text, shown.poll) == ("¿Pan de espelta?", (["Sí, & «claro»", "No", "A veces"], 3600, True))


def test_what_a_poll_may_not_be_never_leaves(connector):
    rule = connector.capabilities.publishes
    if rule is None or connector.capabilities.by_hand:
        pytest.skip("nothing is published here by a program")
    asked, account, fine = connector(NoNetwork()), account_of(connector), contract.Poll(("Sí", "No"), 3600)
    bad = [a_draft(connector, poll=fine)]
    if rule.polls:
        assert not asked.misfits(account, bad.pop())
        many, long = [str(n) for n in range(rule.polls.most + 1)], "n" * (rule.polls.longest + 1)
        polls = [("Sí",), ("Sí", "sí"), tuple(many), ("Sí", long)]
        bad += [a_draft(connector, poll=contract.Poll(options, 3600)) for options in polls]
        bad += [a_draft(connector, poll=replace(fine, seconds=rule.polls.shortest_time - 1))]
        bad += [a_draft(connector, poll=replace(fine, seconds=rule.polls.longest_time + 1))]
        bad += [a_draft(connector, poll=fine, pictures=[a_picture()])]
    for draft in bad:
        assert [one.code for one in asked.misfits(account, draft)] == ["poll"], draft.poll
        with pytest.raises(contract.Refused) as refused:
            asked.publish(account, draft, "key")
        assert in_spanish(refused.value.why, contract.SENTENCES), draft.poll


def test_a_post_is_deleted_again_where_it_says_so(network, speaker):
    if not publishing(speaker).deletes:
        pytest.skip("what is published here stays")
    before = len(seen(speaker, network))
    made = say(speaker, network, a_draft(speaker.connector))
    on = Target(made.remote_id, made.remote_id, hints=made.hints, kind="post", url=made.url, is_ours=True)
    for _again in range(2):  # what is gone already is as was wanted
        opened(speaker).act(speaker.account(network), "delete", on, "post-1-delete")
    assert len(seen(speaker, network)) == before


def test_an_address_that_leads_elsewhere_names_no_post_of_its_own(network, speaker):
    publishing(speaker)
    assert opened(speaker).named(speaker.account(network), "https://elsewhere.example/@horno/77") is None


def test_what_a_person_has_to_publish_is_ready_to_copy_and_says_where(speaker_by_hand):
    publishing(speaker_by_hand)
    with speaker_by_hand.running() as network, pytest.raises(contract.ByHand) as task:
        say(speaker_by_hand, network, a_draft(speaker_by_hand.connector))
    assert task.value.text == "Pan de pueblo"
    assert task.value.url.startswith(("https://", "http://"))


# It does what it declares, and nothing else.


def test_what_it_declares_is_covered_by_a_sample(connector):
    kinds = {expected["kind"] for sample in samples(connector) for expected in sample.expected}
    assert kinds >= connector.capabilities.reads
    assert connector.capabilities.reads <= set(get_args(contract.Kind))


def test_only_one_that_finds_says_how_soon(connector):
    can = connector.capabilities
    assert can.shows_own_within is None or (can.finds and can.shows_own_within >= 0)


def test_the_table_tells_of_every_act_whether_and_until_when(connector):
    for kind in connector.capabilities.reads:
        for is_ours in (True, False):
            item = Item(kind, is_ours, sent_at=AT, person_wrote_at=AT)
            for found in connector.possibilities(item, AT + timedelta(seconds=1)):
                assert found.is_possible
                assert found.until == (AT + found.can.within if found.can.within else None)
                late = connector.possibilities(item, (found.until or AT) + timedelta(seconds=1))
                assert next(one for one in late if one.can == found.can).is_possible == (found.until is None)


def test_every_reason_and_note_stands_in_both_languages(connector):
    can = connector.capabilities
    texts = [*connector.reasons.values(), *can.cannot.values(), *(line.note for line in can.can if line.note)]
    assert all(set(text) >= {"en", "es"} and all(text.values()) for text in texts)
    assert not set(can.cannot) & can.writes


def test_every_sentence_it_can_raise_has_its_spanish(connector):
    raised = list(spoken(connector))
    assert [why for why in raised if not in_spanish(why, connector.sentences)] == []
    for english, spanish in connector.sentences.items():
        assert english.count("{}") == spanish.count("{}")
        assert spanish.strip()
        assert redact(english, longest=300) == english  # else what is stored would no longer be known


def test_its_scopes_facts_and_statuses_are_told_in_both_languages(connector):
    texts = [*connector.scopes.values(), *connector.facts.values(), *connector.statuses.values()]
    assert all(set(text) >= {"en", "es"} and all(text.values()) for text in texts)


def test_what_is_shown_of_its_health_is_there(network, speaker):
    assert opened(speaker).check(speaker.account(network)).facts.keys() >= speaker.connector.facts.keys()


CALLS = {
    "fetch": (lambda can: can.polls, ("",)),
    "receive": (lambda can: can.webhook or can.hosted, (Inbound({}, {}, b"", AT),)),
    "reply": (lambda can: "reply" in can.writes, (Target("thread"), "Hola", "key")),
    "act": (lambda can: can.writes - {"reply"}, ("like", Target("thread"), "key")),
    "reread": (lambda can: can.history is not None, (AT, AT, "")),
    "renew": (lambda can: can.renews, ()),
    "begin_consent": (lambda can: can.consents, ("https://desk.example/back", "state")),
    "finish_consent": (lambda can: can.consents, ("https://desk.example/back", {}, "code")),
    "listen": (lambda can: can.listens, (lambda: True,)),
    "find": (lambda can: can.finds, ("key",)),
    "publish": (lambda can: can.publishes is not None, (Draft("Hola"), "key")),
    "attach": (
        lambda can: bool(can.publishes and can.publishes.pictures and can.publishes.pictures.uploads),
        (Picture("pan.png", "image/png", 1, 1, 1), "key"),
    ),
    "find_post": (lambda can: bool(can.publishes and can.publishes.finds), (Draft("Hola"), "key")),
    "write_down": (lambda can: can.by_hand, (Noted("key", "person", "call", "Hola", AT),)),
    "welcome": (lambda can: can.hosted, ("", AT)),
    "recognise": (lambda can: can.hosted, ("",)),
    "origins": (lambda can: can.hosted, ()),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_it_does_not_declare_is_unsupported(connector, call):
    is_declared, said = CALLS[call]
    if is_declared(connector.capabilities):
        assert call == "find_post" or getattr(connector, call) is not getattr(Connector, call)
        return
    if call == "find_post" and connector.capabilities.finds:
        return  # nobody asks it
    with pytest.raises(contract.Unsupported):
        getattr(connector(NoNetwork()), call)(account_of(connector), *said)


def test_a_hosted_channel_has_a_script_with_every_text_in_both_languages(connector):
    if not connector.capabilities.hosted:
        pytest.skip("not hosted")
    texts = [
        connector.widget_texts(language, is_formal=formal) for language in ("es", "en") for formal in (True, False)
    ]
    assert connector.widget()
    assert len({frozenset(one) for one in texts}) == 1
    assert all(text.strip() and "{" not in text for one in texts for text in one.values())
    assert texts[0] != texts[1]


# What the checks above lean on.


def spoken(connector: type[Connector]) -> Iterator[str]:
    """The sentences in the code of a connector: all that is handed to an outcome, a `Health` or an `Unread`."""
    package = connector.__module__.rpartition(".")[0]
    for path in sorted(folder(connector).glob("*.py")):
        names = vars(import_module(package if path.stem == "__init__" else f"{package}.{path.stem}"))
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and (place := _place_of_words(called(call, names))) is not None:
                number, keyword = place
                given = [*call.args[number : number + 1], *(one.value for one in call.keywords if one.arg == keyword)]
                yield from (why for said in given for why in words_of(said, names) if why.strip(" {}"))


def called(call: ast.Call, names: Mapping[str, Any]) -> Any:
    try:
        return eval(ast.unparse(call.func), dict(names))
    except Exception:  # noqa: BLE001 — something local, which is no outcome
        return None


def _place_of_words(kind: Any) -> tuple[int, str] | None:
    if not isinstance(kind, type):
        return None
    if issubclass(kind, Outcome) and not issubclass(kind, contract.TurnedAway):
        return 0, "why"
    return {contract.Health: (1, "says"), contract.Unread: (1, "why")}.get(kind)


def words_of(said: ast.expr, names: Mapping[str, Any]) -> Iterator[str]:
    """What an expression can say; `{}` for what isn't known before. A name of an act is no sentence."""
    match said:
        case ast.Constant(value=str(text)):
            yield text if " " in text else ""
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else next(words_of(part.value, names), "{}")
                for part in parts
                if isinstance(part, ast.Constant | ast.FormattedValue)
            )
        case ast.IfExp(body=one, orelse=other):
            yield from [*words_of(one, names), *words_of(other, names)]
        case ast.Call(func=ast.Attribute(value=inner, attr="strip")):
            yield from words_of(inner, names)
        case ast.Name() | ast.Attribute():
            value = called(ast.Call(said, [], []), names)
            if isinstance(value, str):
                yield value


def check(envelope: Envelope) -> None:
    """Well-typed to the last field, with times that are aware and in UTC."""
    for one in fields(Author):
        for person in filter(None, (envelope.author, envelope.person)):
            assert isinstance(getattr(person, one.name), str), one.name
    for name in ("remote_id", "thread_id", "text", "html", "subject", "in_reply_to", "key", "url", "quoted"):
        value = getattr(envelope, name)
        assert isinstance(value, str), name
        assert "\x00" not in value
        value.encode()
    assert envelope.remote_id
    assert envelope.thread_id
    assert len(envelope.remote_id) <= 255
    assert envelope.kind in get_args(contract.Kind)
    assert envelope.verb in get_args(contract.Verb)
    assert envelope.sent_at.utcoffset() == timedelta()
    assert envelope.changed_at is None or envelope.changed_at.utcoffset() == timedelta()
    assert envelope.url == "" or envelope.url.startswith(("https://", "http://"))
    json.dumps(envelope.raw, allow_nan=False)
    for part in (envelope.hints, envelope.cannot):
        assert all(isinstance(name, str) and isinstance(value, str) for name, value in part.items())
    assert all(isinstance(each, Mapping) and isinstance(each.get("name"), str) for each in envelope.attachments)
    json.dumps([dict(each) for each in envelope.attachments], allow_nan=False)
    assert isinstance(envelope.original, bytes)
    for one in fields(About):
        assert envelope.about is None or isinstance(getattr(envelope.about, one.name), str), one.name


def as_told(envelope: Envelope) -> dict[str, Any]:
    """The envelope as the samples write it."""
    told = {one.name: getattr(envelope, one.name) for one in fields(Envelope) if one.name != "original"}
    told["about"] = envelope.about and asdict(envelope.about)
    told["person"] = envelope.person and asdict(envelope.person)
    told["attachments"] = [dict(each) for each in envelope.attachments]
    told["to"] = list(envelope.to)
    told["author"] = {one.name: getattr(envelope.author, one.name) for one in fields(Author)}
    for name in ("sent_at", "changed_at"):
        told[name] = told[name] and told[name].astimezone(UTC).isoformat().replace("+00:00", "Z")
    return told


def is_without_network(connector: type[Connector]) -> bool:
    return connector.capabilities.hosted or connector.capabilities.by_hand


def account_of(connector: type[Connector]) -> SampleAccount:
    return SampleAccount(secrets={one.name: f"secret-{one.name}" for one in connector.fields if one.kind == "secret"})


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value, inner ones too."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*at, key)
        yield from places(inner, (*at, key))


def twisted(body: Any, place: tuple[Any, ...], twist: Any) -> Any:
    body = copy.deepcopy(body)
    inner = body
    for key in place[:-1]:
        inner = inner[key]
    if twist == "REMOVED":
        del inner[place[-1]]
    else:
        inner[place[-1]] = twist
    return body


def value_at(body: Any, part: str) -> str:
    return str(body[part])


def tampered(value: str) -> str:
    """The same with one character of its end changed."""
    return value[:-2] + ("A" if value[-2] != "A" else "B") + value[-1]
