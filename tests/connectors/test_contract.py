"""What every connector promises, asked of each one and of each of its samples.

A package of its own inherits all of it with two lines in its tests:

    from connectors.test_contract import *  # noqa: F403
    CONNECTORS = {"mine": MyConnector}

Samples stand in the connector's folder: `samples/<name>.in.json` says which call is made with what, and
`samples/<name>.out.json` what comes of it. A connector that speaks HTTP also says in `OVER_HTTP` what its account looks
like when the network is the double in `fakes/network.py` (or one of its own with the same `faults`).
"""

from __future__ import annotations

import copy
import inspect
import json
import logging
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from fakes.connector import KINDS
from fakes.network import SIGNING, TOKEN, Network, running
from tertulia.connectors import contract, registry
from tertulia.connectors.contract import Author, BadPayload, Connector, Envelope, Inbound, Noted, Outcome, Target
from tertulia.core.http import Door

CONNECTORS = registry.all_connectors()
TWISTS = [None, "", 0, -1, 10**30, 1.5, True, [], {}, [[]], "\u0000", "\ud800", "x" * 300_000, "REMOVED"]
AT = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


@dataclass
class SampleAccount:
    id: int = 1
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


OVER_HTTP = {
    key: (
        connector,
        lambda network: SampleAccount(settings={"url": network.url}, secrets={"token": TOKEN, "signing": SIGNING}),
    )
    for key, connector in KINDS.items()
}


class NoNetwork:
    """Connectors that need no network never reach for it."""

    def request(self, method: str, url: str, **said: Any) -> Any:
        raise AssertionError(f"{method} {url} left the house")


@dataclass(frozen=True)
class Sample:
    kind: str
    name: str
    given: dict[str, Any]
    expected: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"


def folder(connector: type[Connector]) -> Path:
    return Path(inspect.getfile(connector)).parent


def samples() -> list[Sample]:
    found = []
    for kind, connector in CONNECTORS.items():
        for given in sorted(folder(connector).glob("samples/*.in.json")):
            expected = given.with_name(given.name.replace(".in.", ".out."))
            name = given.name.removesuffix(".in.json")
            found.append(Sample(kind, name, json.loads(given.read_text()), json.loads(expected.read_text())))
    return found


def read(sample: Sample, given: dict[str, Any] | None = None) -> list[Envelope]:
    """Make the sample's call."""
    given = given or sample.given
    connector = CONNECTORS[sample.kind](NoNetwork())  # type: ignore[arg-type]
    account = SampleAccount(**given["account"])
    if given["call"] == "write_down":
        noted = given["noted"]
        return [connector.write_down(account, Noted(**{**noted, "happened_at": moment(noted["happened_at"])}))]
    body = given["body"] if isinstance(given["body"], str) else json.dumps(given["body"])
    inbound = Inbound(
        headers=given["headers"],
        query=given["query"],
        body=body.encode(errors="surrogatepass"),
        at=moment(given["at"]),
        remote_address="203.0.113.7",
    )
    return connector.receive(account, inbound)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def every_connector(function: Any) -> Any:
    return pytest.mark.parametrize("connector", CONNECTORS.values(), ids=list(CONNECTORS))(function)


def every_sample(function: Any) -> Any:
    return pytest.mark.parametrize("sample", samples(), ids=str)(function)


# It declares itself.


@every_connector
def test_it_declares_itself_in_spanish_and_english(connector):
    texts = [
        connector.name,
        *(one.label for one in connector.fields),
        *(one.help for one in connector.fields if one.help),
    ]
    texts += [text for one in connector.fields for _value, text in one.choices]
    for text in texts:
        assert set(text) >= {"en", "es"}
        assert all(said.strip() for said in text.values())
    assert connector.key == connector.key.lower()
    assert len(connector.key) <= 40


@every_connector
def test_it_has_an_icon_and_dated_notes(connector):
    icon = ET.parse(folder(connector) / "icon.svg").getroot()
    assert icon.tag == "{http://www.w3.org/2000/svg}svg"
    assert icon.get("viewBox")
    assert "script" not in (folder(connector) / "icon.svg").read_text().lower()
    assert "Last checked 20" in (folder(connector) / "notes.md").read_text()


@every_connector
def test_its_secrets_are_fields_and_generated_ones_are_long_and_fresh(connector):
    generated = connector.generated_secrets()
    assert set(generated) <= {one.name for one in connector.fields if one.kind == "secret"}
    assert all(len(value) >= 32 and value != connector.generated_secrets()[name] for name, value in generated.items())


@every_connector
def test_it_knows_neither_django_nor_the_house(connector):
    for file in folder(connector).glob("*.py"):
        assert "django" not in file.read_text()


# It reads.


@every_sample
def test_each_sample_gives_the_expected_envelopes(sample):
    envelopes = read(sample)
    assert len(envelopes) == len(sample.expected)
    for envelope, expected in zip(envelopes, sample.expected, strict=True):
        told = as_told(envelope)
        told["author"] = {name: value for name, value in told["author"].items() if name in expected["author"]}
        assert {name: told[name] for name in expected} == expected
        check(envelope)


@every_sample
def test_reading_twice_gives_the_same_ids(sample):
    first, second = read(sample), read(sample)
    assert [one.remote_id for one in first] == [one.remote_id for one in second]
    assert [one.thread_id for one in first] == [one.thread_id for one in second]


@every_sample
def test_every_value_twisted_in_turn_is_read_well_typed_or_refused(sample):
    if sample.given["call"] != "receive":
        pytest.skip("written by our own form, not by a stranger")
    for place in places(sample.given["body"]):
        for twist in TWISTS:
            given = {**sample.given, "body": twisted(sample.given["body"], place, twist)}
            try:
                envelopes = read(sample, given)
            except BadPayload:
                continue
            for envelope in envelopes:
                check(envelope)


@every_sample
def test_a_wrong_signature_is_refused_as_forged(sample):
    for part in sample.given.get("signed", []):
        for wrong in ("", "x", "REMOVED", tampered(value_at(sample.given["body"], part))):
            given = {**sample.given, "body": twisted(sample.given["body"], (part,), wrong)}
            with pytest.raises(BadPayload) as bad:
                read(sample, given)
            assert bad.value.forged


@every_sample
def test_without_its_secret_it_is_closed_not_open(sample):
    if not sample.given["account"]["secrets"]:
        pytest.skip("nothing is signed here")
    for secrets in ({}, dict.fromkeys(sample.given["account"]["secrets"], "")):
        given = {**sample.given, "account": {**sample.given["account"], "secrets": secrets}}
        with pytest.raises(BadPayload) as bad:
            read(sample, given)
        assert bad.value.forged


@every_sample
@pytest.mark.parametrize(
    "body",
    ["", "[" * 100_000, '{"a":NaN}', "null", "[]", '"x"', '{"a":1,"a":2}', "9" * 5000, "<html>", '{"a":"\\ud800"}'],
    ids=["empty", "deep", "nan", "null", "list", "text", "twice", "long-number", "html", "surrogate"],
)
def test_a_hostile_body_is_refused_and_nothing_else(sample, body):
    if sample.given["call"] == "receive":
        with pytest.raises(BadPayload):
            read(sample, {**sample.given, "body": body})


@every_sample
def test_its_secrets_are_in_no_envelope_log_or_error(sample, caplog):
    caplog.set_level(logging.DEBUG)
    told = repr(read(sample))
    try:
        read(sample, {**sample.given, "body": "{"})
    except (BadPayload, KeyError) as error:
        told += repr(error) + str(error)
    told += caplog.text
    for secret in sample.given["account"]["secrets"].values():
        assert secret not in told


# It writes.


@every_connector
def test_what_it_can_write_is_safe_to_send_with_the_same_key_twice_or_says_so(connector):
    if not is_without_network(connector):
        pytest.skip("asked of the double of its network")
    account = account_of(connector)
    one, again = (connector(NoNetwork()).reply(account, Target("thread"), "Hola", "key-1") for _ in range(2))
    other = connector(NoNetwork()).reply(account, Target("thread"), "Hola", "key-2")
    assert one == again
    assert other.remote_id != one.remote_id
    assert connector.capabilities.repeats_safely


@every_connector
def test_a_text_that_is_too_long_never_leaves(connector):
    longest = connector.capabilities.max_text
    if longest is None or "reply" not in connector.capabilities.writes:
        pytest.skip("there is no longest text")
    with pytest.raises(Outcome):
        connector(NoNetwork()).reply(account_of(connector), Target("thread"), "x" * (longest + 1), "key")


@pytest.fixture
def network() -> Iterator[Network]:
    with running(Network(hang_seconds=2.2)) as network:
        yield network


def over_http(function: Any) -> Any:
    return pytest.mark.parametrize("speaker", OVER_HTTP.values(), ids=list(OVER_HTTP))(function)


@over_http
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


@over_http
def test_a_network_that_isnt_there_is_tried_again(network, speaker):
    network.url = "http://127.0.0.1:9"
    with pytest.raises(contract.Retry):
        publish(speaker, network)


@over_http
def test_the_same_key_twice_is_one_post_or_can_be_found(network, speaker):
    connector, _account = speaker
    network.honours_keys = connector.capabilities.repeats_safely
    first = publish(speaker, network)
    if connector.capabilities.repeats_safely:
        assert publish(speaker, network) == first
        assert len(network.posts) == 1
    if connector.capabilities.finds:
        assert found(speaker, network, "key-1") == first
        assert found(speaker, network, "another") is None


@over_http
def test_no_secret_is_in_a_log_or_an_error_even_when_the_network_echoes_it(network, speaker, caplog):
    caplog.set_level(logging.DEBUG)
    told = ""
    for fault in ("401", "429", "500", "400", "echo_secret_500", "accept_then_cut", "cut_before"):
        network.faults.append(fault)
        with pytest.raises(Outcome) as ended:
            publish(speaker, network)
        told += repr(ended.value) + str(ended.value)
    assert TOKEN not in told + caplog.text
    assert SIGNING not in told + caplog.text


def publish(speaker: Any, network: Network) -> contract.Receipt:
    connector, account = speaker
    return connector(Door(total=1.5)).reply(account(network), Target("diego"), "Hola", "key-1")


def found(speaker: Any, network: Network, key: str) -> contract.Receipt | None:
    connector, account = speaker
    return connector(Door(total=1.5)).find(account(network), key)


# It does what it declares, and nothing else.


@every_connector
def test_what_it_declares_is_covered_by_a_sample(connector):
    mine = [sample for sample in samples() if sample.kind == connector.key]
    kinds = {expected["kind"] for sample in mine for expected in sample.expected}
    assert kinds >= connector.capabilities.reads
    assert connector.capabilities.reads <= set(get_args(contract.Kind))


@every_connector
def test_only_one_that_finds_says_how_soon(connector):
    can = connector.capabilities
    assert can.shows_own_within is None or (can.finds and can.shows_own_within >= 0)


CALLS = {
    "fetch": (lambda can: can.polls, ("",)),
    "receive": (lambda can: can.webhook or can.hosted, (Inbound({}, {}, b"", AT),)),
    "reply": (lambda can: "reply" in can.writes, (Target("thread"), "Hola", "key")),
    "find": (lambda can: can.finds, ("key",)),
    "write_down": (lambda can: can.by_hand, (Noted("key", "person", "call", "Hola", AT),)),
    "welcome": (lambda can: can.hosted, ("", AT)),
    "recognise": (lambda can: can.hosted, ("",)),
    "origins": (lambda can: can.hosted, ()),
}


@every_connector
@pytest.mark.parametrize("call", CALLS)
def test_what_it_does_not_declare_is_unsupported(connector, call):
    is_declared, said = CALLS[call]
    if is_declared(connector.capabilities):
        assert getattr(connector, call) is not getattr(Connector, call)
        return
    with pytest.raises(contract.Unsupported):
        getattr(connector(NoNetwork()), call)(account_of(connector), *said)


@every_connector
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


def check(envelope: Envelope) -> None:
    """Well-typed to the last field, with times that are aware and in UTC."""
    for one in fields(Author):
        assert isinstance(getattr(envelope.author, one.name), str), one.name
    for name in ("remote_id", "thread_id", "text", "html", "subject", "in_reply_to", "key", "url"):
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


def as_told(envelope: Envelope) -> dict[str, Any]:
    """The envelope as the samples write it."""
    told = {one.name: getattr(envelope, one.name) for one in fields(Envelope)}
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
