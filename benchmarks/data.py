"""A desk after years of work: any number of conversations with five messages each, the same ones for the same seed.

Written straight into the tables in the order in which it would have come. Words follow the frequencies of a language
(the n-th word comes once for every n times the first), a few are rare on purpose.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Any

from django.db import connection, models, transaction

from tertulia.brand.models import Brand
from tertulia.channels import search
from tertulia.channels.models import Account, Identity, Message
from tertulia.community.models import Member, MemberIdentity
from tertulia.core import bulk
from tertulia.core.models import Activity
from tertulia.inbox import activities
from tertulia.inbox.models import HEAD_STARTS, URGENT, Conversation, ConversationLabel, Label, Promise
from tertulia.team.models import Membership, User
from tertulia.team.permissions import Role

from .stage import MESSAGES_EACH

CHUNK = 4_000
END = datetime(2026, 11, 20, 18, tzinfo=UTC)
STEP = timedelta(seconds=30)
"""Between the beginnings of two conversations."""
PEOPLE = 40

# fmt: off
COMMON = """
de la que el en y a los se del las un por con no una su para es al lo como más pero sus le ya o este sí porque esta
entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante todos uno les ni contra otros
hola gracias pedido buenas tardes quería saber cuándo llega mi paquete tienda precio talla horario domingo abierto
cerrado devolver cambio dinero factura tarjeta envío gratis Madrid Sevilla Valencia mañana semana pasada compré
producto roto falta pieza caja página cuenta correo contraseña error descuento código oferta regalo cumpleaños
panadería pan tarta chocolate gluten alergia reserva mesa recoger persona teléfono llamar respuesta espero favor
urgente ayuda problema solución atención cliente servicio contento encantada fatal rápido lento calidad color azul
"""
SYLLABLES = """
ba ca da fa ga la ma na pa ra sa ta ve ce de le me ne pe re se te vi li mi ni pi ri si ti lo mo no po ro to cu lu mu nu
ru tu
"""
NAMES = ("Lucía", "Martín", "Sofía", "Hugo", "María", "Pablo", "Paula", "Daniel", "Julia", "Álvaro", "Carmen", "Adrián",
         "Elena", "Diego", "Laura", "Mario", "Ana")
SURNAMES = ("García", "Ferrer", "Ruiz", "Molina", "Santos", "Ortega", "Castro", "Vidal", "Navarro", "Ramos", "Gil",
            "Serrano", "Blanco")
LABELS = ("Pedidos", "Envíos", "Devoluciones", "Horario", "Alergias", "Facturas", "Quejas", "Elogios")
# fmt: on
FREQUENT, MEDIUM = "pedido", "cumpleaños"


@dataclass(frozen=True, slots=True)
class Company:
    """What stands before the first message."""

    brand: Brand
    accounts: Sequence[Account]
    labels: Sequence[Label]
    people: Sequence[User]


class Language:
    """Phrases of six words, ready with the tokens the search keeps of them, and rare words that come now and then."""

    def __init__(self, chance: random.Random) -> None:
        syllables = SYLLABLES.split()
        invented = {"".join(chance.choices(syllables, k=chance.randint(3, 5))) for _ in range(12_000)}
        words = [*COMMON.split(), *sorted(invented)]
        weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
        self.phrases = [" ".join(chance.choices(words, cum_weights=weights, k=6)) for _ in range(40_000)]
        self.tokens = [search.tokens(phrase) for phrase in self.phrases]
        self.rare = [f"x{''.join(chance.choices(syllables, k=4))}" for _ in range(2_000)]
        self._chance = chance

    def say(self) -> tuple[str, str]:
        """A message and its tokens."""
        a, b, c = (int(self._chance.random() * len(self.phrases)) for _ in range(3))
        text = f"{self.phrases[a]}, {self.phrases[b]}. {self.phrases[c]}"
        tokens = f"{self.tokens[a]} {self.tokens[b]} {self.tokens[c]}"
        if self._chance.random() < 0.03:
            rare = self._chance.choice(self.rare)
            return f"{text} {rare}", f"{tokens} {search.tokens(rare)}"
        return text, tokens


def found_company() -> Company:
    """The brand, its people, channels, labels and promises."""
    start = END - timedelta(days=4_000)
    brand = Brand.objects.create(name="Horno Candela", slug="horno-candela", region="MD", created_at=start)
    accounts = [
        Account.objects.create(brand=brand, kind=kind, name=name, created_at=start, secrets={"signing": "a" * 43})
        for kind, name in (("site", "Nuestra página"), ("phone", "Teléfono y tienda"))
    ]
    labels = [
        Label.objects.create(brand=brand, name=name, hue=30 * number, words=[name.lower()])
        for number, name in enumerate(LABELS)
    ]
    people = [
        User.objects.create(email=f"p{number}@candela.example", name=_name(number), language="es")
        for number in range(PEOPLE)
    ]
    for number, user in enumerate(people):
        role = Role.MANAGER if number == 0 else Role.EXPERT
        Membership.objects.create(user=user, brand=brand, role=role, created_at=start, is_fallback=number == 0)
    Promise.objects.create(brand=brand, first_response_minutes=60, resolution_minutes=2_880)
    return Company(brand, accounts, labels, people)


def company_brand() -> Brand:
    """The company's brand, founded when no part before has done so."""
    return Brand.objects.filter(slug="horno-candela").first() or found_company().brand


def fill(company: Company, conversations: int, *, seed: int = 7) -> Iterator[int]:
    """Write so many conversations into empty tables; yields how many there are after each step."""
    chance = random.Random(seed)
    language = Language(chance)
    for first in range(1, conversations + 1, CHUNK):
        numbers = range(first, min(first + CHUNK, conversations + 1))
        with transaction.atomic():
            _Chunk(company, chance, language, END - STEP * (conversations - first)).write(numbers)
        yield numbers[-1]


class _Chunk:
    def __init__(self, company: Company, chance: random.Random, language: Language, start: datetime) -> None:
        self.company, self.chance, self.language, self.start = company, chance, language, start
        self.rows: dict[type[models.Model], list[list[Any]]] = {}
        self.words: list[tuple[int, str]] = []

    def write(self, numbers: range) -> None:
        messages = sorted(
            (self.start + STEP * (len(numbers) * self.chance.random()), number)
            for number in numbers
            for _ in range(MESSAGES_EACH)
        )
        threads: dict[int, list[tuple[datetime, str]]] = {number: [] for number in numbers}
        first = (numbers[0] - 1) * MESSAGES_EACH + 1
        for id, (at, number) in enumerate(messages, first):
            self._message(id, number, at, threads[number])
        for number in numbers:
            self._conversation(number, threads[number])
        for model in (Identity, Member, MemberIdentity, Conversation, Message, ConversationLabel, Activity):
            if rows := self.rows.get(model):
                bulk.copy(model._meta.db_table, [str(field.column) for field in model._meta.concrete_fields], rows)
        search.index(self.words)

    def _message(self, id: int, number: int, at: datetime, thread: list[tuple[datetime, str]]) -> None:
        text, tokens = self.language.say()
        is_ours = len(thread) % 2 == 1
        account = self._account(number)
        name = _name(number)
        thread.append((at, text))
        self._add(
            Message, id=id, account_id=account.pk, remote_id=f"m{id:010d}", thread_id=f"p{number:09d}",
            identity_id=None if is_ours else number, author_name=name, direction="out" if is_ours else "in",
            kind="chat", text=text, sent_at=at, received_at=at, raw={"id": id, "text": text, "from": name},
        )  # fmt: skip
        self.words.append((id, f"{_about(self.company.brand.pk, name)} {tokens}"))

    def _conversation(self, number: int, thread: list[tuple[datetime, str]]) -> None:
        account, brand, at, name = self._account(number), self.company.brand.pk, thread[-1][0], _name(number)
        state = self.chance.choices(("open", "closed", "snoozed"), (30, 67, 3))[0]
        labels = self.chance.sample(self.company.labels, self.chance.choices((0, 1, 2), (5, 4, 1))[0])
        is_waiting = state == "open" and self.chance.random() < 0.5
        urgency = URGENT if number % 20 == 0 else 0
        ahead = HEAD_STARTS[-1][1] if urgency and is_waiting else timedelta()
        owner = None if self.chance.random() < 0.05 else self.chance.choice(self.company.people).pk
        self._add(Identity, id=number, account_id=account.pk, remote_id=f"p{number:09d}", name=name)
        self._add(Member, id=number, brand_id=brand, name=name, first_seen_at=thread[0][0], last_seen_at=at)
        self._add(MemberIdentity, id=number, identity_id=number, member_id=number)
        self._add(
            Conversation, id=number, brand_id=brand, account_id=account.pk, thread_id=f"p{number:09d}",
            member_id=number, channel=account.kind, member_name=name, preview=thread[-1][1][:200], state=state,
            close_reason="answered" if state == "closed" else "", closed_at=at if state == "closed" else None,
            snoozed_until=at + timedelta(days=9_000) if state == "snoozed" else None, owner_id=owner,
            last_activity_at=at, listed_at=at + ahead, ranked_at=at - ahead if is_waiting else None, urgency=urgency,
            last_inbound_at=at, last_outbound_at=thread[-2][0],
            waiting_since=at if is_waiting else None, promise_due_at=at + timedelta(hours=1) if is_waiting else None,
            warned_at=at if is_waiting else None, broken_at=at if is_waiting else None,
            labels=[label.pk for label in labels], turn=MESSAGES_EACH, answered_turn=MESSAGES_EACH - is_waiting,
            created_at=thread[0][0],
        )  # fmt: skip
        for label in labels:
            id = number * 2 + (label is labels[-1])
            self._add(
                ConversationLabel, id=id, conversation_id=number, label_id=label.pk, state=state, last_activity_at=at
            )
        self._add(
            Activity, id=number, brand_id=brand, type=activities.RECEIVED, on_kind="inbox.conversation", on_id=number,
            at=at, data={"account": account.pk, "thread": f"p{number:09d}", "count": 1, "person": name},
        )  # fmt: skip

    def _account(self, number: int) -> Account:
        return self.company.accounts[number % 10 == 0]

    def _add(self, model: type[models.Model], **values: Any) -> None:
        places, plain = _template(model)
        row = plain.copy()
        for name, value in values.items():
            place, adapt = places[name]
            row[place] = value if value is None or adapt is None else adapt(value)
        self.rows.setdefault(model, []).append(row)


@cache
def _template(model: type[models.Model]) -> tuple[dict[str, tuple[int, bulk.Adapt | None]], list[Any]]:
    """Where each field stands in a row and how it is made ready; and a row of defaults."""
    adapts = bulk.adapts(model)
    places = {name: (place, adapt) for place, (name, adapt) in enumerate(adapts.items())}
    defaults = [field.get_default() for field in model._meta.concrete_fields]
    return places, [
        value if value is None or adapt is None else adapt(value)
        for value, adapt in zip(defaults, adapts.values(), strict=True)
    ]


@cache
def _about(brand_id: int, name: str) -> str:
    return search.document(brand_id, name)


def _name(number: int) -> str:
    return f"{NAMES[number % len(NAMES)]} {SURNAMES[number % len(SURNAMES)]}"


def build(conversations: int) -> Iterator[int]:
    """Fill an empty, migrated database as fast as it can be done safely for nobody: for benchmarks only."""
    company = found_company()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
        else:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SET synchronous_commit = off")
            cursor.execute("DROP INDEX message_search_words")
        yield from fill(company, conversations)
        if connection.vendor == "postgresql":
            _finish_postgresql(cursor)
    connection.close()


def _finish_postgresql(cursor: Any) -> None:
    cursor.execute("SET maintenance_work_mem = '512MB'")
    cursor.execute("CREATE INDEX message_search_words ON message_search USING gin (words)")
    for model in (Identity, Member, MemberIdentity, Conversation, Message, ConversationLabel, Activity):
        table = model._meta.db_table
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))"
        )
    cursor.execute("VACUUM ANALYZE")
