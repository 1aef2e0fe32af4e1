"""Who was erased stays so, however often their channel is read again, and after a backup was put back.

What is kept is a keyed digest of the person as their network knows them, and of each of their messages. An intake asks
for both: what is on the list is counted there and not taken in. The person is known by the kind of network, not by the
account, so that connecting it anew brings nobody back; and only for what is older than the erasure, since whoever
writes again is somebody new.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, TextField
from django.db.models.functions import Cast
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.connectors.contract import Envelope
from tertulia.core.crypto import UnreadableSecret, decrypt, encrypt

from .models import Account, Erased, ErasureKey, Identity, Message

log = logging.getLogger(__name__)

ID_LENGTH = 255
ERASED = "erased:"
"""Begins what an erased message, or thread, is called here."""
FILE = "erasures.jsonl"
"""In the data folder: the list as it was after the last erasure, for backups."""


class NotThisList(Exception):
    """The file can't be used here; the message says what to do."""


def keep_out(account: Account, envelopes: Sequence[Envelope], *, at: datetime) -> Sequence[Envelope]:
    """Those of the envelopes that belong to nobody who was erased; the others are counted on the list."""
    if not envelopes or (key := _key()) is None:
        return envelopes
    names = {id(each): _digests(key, account, each) for each in envelopes}
    wanted = {digest for pair in names.values() for digest in pair if digest}
    known = {row.digest: row for row in Erased.objects.filter(brand=account.brand_id, digest__in=wanted)}
    if not known:
        return envelopes
    kept, hits = [], []
    for each in envelopes:
        message, person = (known.get(digest) for digest in names[id(each)])
        hit = message or (person if person and each.sent_at <= person.at else None)
        if hit:
            hits.append(hit.pk)
        else:
            kept.append(each)
    for pk, count in Counter(hits).items():
        Erased.objects.filter(pk=pk).update(kept_out=F("kept_out") + count, kept_out_at=at)
    if hits:
        log.info("Account %s: %s messages of people who were erased were not taken in again.", account.pk, len(hits))
    return kept


def kept_out_ids(account: Account, remote_ids: Iterable[str]) -> set[str]:
    """Those of the messages that were erased."""
    key = _key()
    digests = {_message(key, account, each): each for each in remote_ids} if key else {}
    return {digests[digest] for digest in _known(account.brand_id, digests)}


def _known(brand_id: int, digests: Iterable[str]) -> set[str]:
    return set(Erased.objects.filter(brand=brand_id, digest__in=list(digests)).values_list("digest", flat=True))


def remember(*, brand: int, people: Iterable[Identity], messages: Iterable[tuple[Account, str]], at: datetime) -> None:
    """Put these on the list, in the caller's transaction."""
    key = _key() or _new_key()
    found = {_person(key, identity.account, identity.remote_id): True for identity in people}
    found |= {_message(key, account, remote_id): False for account, remote_id in messages}
    rows = [Erased(brand_id=brand, digest=digest, is_person=is_person, at=at) for digest, is_person in found.items()]
    Erased.objects.bulk_create(
        rows, batch_size=1_000, update_conflicts=True, unique_fields=["brand", "digest"], update_fields=["at"]
    )


def stand_in(account: Account, remote_id: str) -> str:
    """What an erased message or thread is called here from then on: the same for the same, telling nothing."""
    return f"{ERASED}{_message(_key() or _new_key(), account, remote_id)[:40]}"


# ── the list, outside of the database ──────────────────────────────────────


def written() -> str:
    """The whole list as lines of JSON; the first holds the key, encrypted like all secrets."""
    key = _key()
    if key is None:
        return ""
    brands = dict(Brand.objects.values_list("pk", "slug"))
    lines: list[dict[str, Any]] = [{"key": encrypt(key.decode())}]
    for row in Erased.objects.order_by("pk").iterator():
        at = row.at.isoformat()
        lines.append({"brand": brands[row.brand_id], "digest": row.digest, "person": row.is_person, "at": at})
    return "".join(json.dumps(line) + "\n" for line in lines)


def write_down() -> None:
    """Keep the list beside the database, where backups find it and a database that is put back doesn't."""
    path = Path(settings.HOME) / FILE
    new = path.with_suffix(".new")
    new.write_text(written())
    new.chmod(0o600)
    new.replace(path)


def read(content: str) -> list[Identity]:
    """Take the list of a file over into this database. Returns the people on it whose data is here (again).

    Raises `NotThisList`.
    """
    try:
        first, *lines = [json.loads(line) for line in content.splitlines() if line.strip()] or [{}]
        said = decrypt(first["key"]).encode() if first else b""
        rows = [(line["brand"], line["digest"], bool(line["person"]), _moment(line["at"])) for line in lines]
    except UnreadableSecret as error:
        raise NotThisList(str(error)) from None
    except (ValueError, KeyError, TypeError):
        raise NotThisList(_("This is no list of erasures. Take the erasures.jsonl of a data folder.")) from None
    if not said:
        return []
    with transaction.atomic():
        key = _key()
        if key not in (None, said):
            if Erased.objects.exists():
                raise NotThisList(_("This list comes from another installation of Tertulia."))
            ErasureKey.objects.all().delete()
        if key != said:
            _new_key(said)
        brands = dict(Brand.objects.values_list("slug", "pk"))
        fresh = [
            Erased(brand_id=brands[slug], digest=digest, is_person=is_person, at=at)
            for slug, digest, is_person, at in rows
            if slug in brands
        ]
        Erased.objects.bulk_create(fresh, batch_size=1_000, ignore_conflicts=True)
    return _here(said)


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _here(key: bytes) -> list[Identity]:
    people = dict(Erased.objects.filter(is_person=True).values_list("digest", "at"))
    found = []
    for identity in Identity.objects.select_related("account").defer("account__secrets").iterator(chunk_size=2_000):
        at = people.get(_person(key, identity.account, identity.remote_id))
        if at and Message.objects.filter(identity=identity, sent_at__lte=at).exists():  # else they wrote anew since
            found.append(identity)
    return found


# ── digests ────────────────────────────────────────────────────────────────


def _digests(key: bytes, account: Account, envelope: Envelope) -> tuple[str, str]:
    who = (envelope.person or envelope.author).remote_id
    return _message(key, account, envelope.remote_id), _person(key, account, who) if who else ""


def _message(key: bytes, account: Account, remote_id: str) -> str:
    return _digest(key, "message", str(account.pk), remote_id)


def _person(key: bytes, account: Account, remote_id: str) -> str:
    return _digest(key, "person", str(account.brand_id), account.kind, remote_id)


def _digest(key: bytes, *parts: str) -> str:
    parts = (*parts[:-1], parts[-1][:ID_LENGTH])
    return hmac.new(key, "\x00".join(parts).encode(errors="replace"), sha256).hexdigest()


def _key() -> bytes | None:
    stored = ErasureKey.objects.annotate(token=Cast("secrets", TextField())).values_list("token", flat=True).first()
    return _opened(stored) if stored else None


@lru_cache(maxsize=4)
def _opened(token: str) -> bytes:
    said: str = json.loads(decrypt(token))["key"]
    return said.encode()


def _new_key(key: bytes | None = None) -> bytes:
    made, _is_new = ErasureKey.objects.get_or_create(
        defaults={"secrets": {"key": (key or secrets.token_urlsafe(32).encode()).decode()}}
    )
    return made.secrets["key"].encode()
