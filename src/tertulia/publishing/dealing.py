"""Whose turn it is: which of two wordings the next post of a series, or of a text that doesn't age, says.

Turns are dealt in pairs. Each pair has both wordings, in an order drawn for it alone, so that neither the hour nor the
day of the week nor a slow change of the account decides which wins. What was drawn follows from the experiment's seed
and the turn's number: tried again after a crash, or put back from a backup, it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _

from .models import Experiment, Post, Series, Turn
from .saying import Piece, as_read

Arm = Experiment.Arm


def arm_of(seed: str, number: int) -> Arm:
    """The wording of a turn."""
    is_swapped = sha256(f"{seed}:{number // 2}".encode()).digest()[0] & 1
    return Arm.B if (number + is_swapped) % 2 else Arm.A


def group_of(seed: str, token: str) -> Arm:
    """The wording of a newsletter that somebody on the list gets: always the same one, whoever else joins or leaves."""
    return Arm.B if sha256(f"{seed}:{token}".encode()).digest()[0] & 1 else Arm.A


def letter_for(said: Mapping[str, Any], token: str) -> dict[str, Any]:
    """What a newsletter (`RemotePost.draft`) says to somebody, by the token of their subscription."""
    return as_read(said, group_of(said["b"]["seed"], token) if "b" in said else Arm.A)


def running(model: Post) -> Experiment | None:
    """The experiment that tries wordings of what is made after this post."""
    return Experiment.objects.filter(post=model, kind=Experiment.Kind.WORDING, closed_at__isnull=True).first()


def turn_for(model: Post | None, post: Post | None = None) -> Turn | None:
    """The turn that a post has in what runs with its model, else the next one, not saved yet; None where nothing runs.

    Call it in the transaction that makes the post or gives it its words: the experiment is held until then.
    """
    found = running(model) if model else None
    if found is None:
        return None
    held = Experiment.objects.select_for_update().get(pk=found.pk)
    if held.closed_at:
        return None
    there = Turn.objects.filter(experiment=held, post=post).first() if post else None
    if there:
        there.experiment = held
        return there
    taken = set(held.turns.values_list("number", flat=True))
    number = next(number for number in range(len(taken) + 1) if number not in taken)
    return Turn(experiment=held, number=number, arm=arm_of(held.seed, number))


def take(turn: Turn | None, post: Post) -> None:
    """Let the post be that turn."""
    if turn and turn.pk is None:
        turn.post = post
        turn.save()


@dataclass(frozen=True, slots=True)
class Wording:
    """What some say in the place of a post's first text, "" for the same text or title. `sign`: "B", or the number of a
    series' wording. `account`: the id of the only list that gets it; None: it is said wherever the common text is."""

    sign: str
    text: str
    title: str = ""
    account: int | None = None

    @property
    def name(self) -> str:
        return _("Wording {sign}").format(sign=self.sign)


def wordings(post: Post, texts: Sequence[str] | None = None) -> list[Wording]:
    """All that is said in the place of what a post says: by the experiment that runs with it, and by its series, which
    has these `texts`; None: those that are kept."""
    if texts is None:
        kept = Series.objects.filter(model=post, ended_at__isnull=True).values_list("texts", flat=True)
        texts = kept.first() or []
    tried = Experiment.objects.filter(post=post, closed_at__isnull=True).exclude(kind=Experiment.Kind.FORMAT).first()
    found = [Wording(Arm.B.label, tried.text_b, tried.title_b, tried.account_id)] if tried else []
    return [*found, *(Wording(str(number), text) for number, text in enumerate(texts, 2))]


def worded(pieces: Sequence[Piece], text: str) -> tuple[Piece, ...]:
    """The same pieces, the first of them saying this; "" leaves it."""
    return (replace(pieces[0], text=text), *pieces[1:]) if text and pieces else tuple(pieces)
