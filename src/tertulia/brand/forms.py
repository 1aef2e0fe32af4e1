"""What people may set on a brand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import time
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tertulia.core.choices import name_empty
from tertulia.core.folding import fold

from .actions import Stretch, Word
from .models import AvoidedWord, Brand, Holiday, OwnWord

STRETCHES = 2
"""Places for stretches of a day: the Spanish morning and afternoon. A brand that has more gets more."""


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Brand
        fields = ["name", "language", "time_zone", "country", "region", "treatment", "colour", "undo_seconds"]
        labels = {
            "name": _("Name"),
            "language": _("Language"),
            "time_zone": _("Time zone"),
            "country": _("Country"),
            "region": _("Region"),
            "treatment": _("How you address people"),
            "colour": _("Colour"),
            "undo_seconds": _("Seconds to take a reply back"),
        }
        help_texts = {
            "language": _("What the brand writes in when nobody chose another language."),
            "region": _("Its public holidays count as closed. Of Spain only."),
            "colour": _("Of the chat on your page."),
            "undo_seconds": _("A reply waits this long before it leaves. Up to 120."),
        }
        widgets = {"treatment": forms.RadioSelect, "colour": forms.TextInput(attrs={"type": "color"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_empty(self.fields["region"], _("No region"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("country") != "ES":
            data["region"] = ""
        return data


class NewBrandForm(BrandForm):
    class Meta(BrandForm.Meta):
        fields = ["name", "language", "time_zone", "country", "region", "treatment"]


class HolidayForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Holiday
        fields = ["on", "name"]
        labels = {"on": _("Day"), "name": _("What it is")}
        widgets = {"on": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}


class WordsForm(forms.Form):
    """The brand's own words, one a line: `name`, or `name = another spelling, another`."""

    MOST = 500
    """Of each kind."""
    MOST_SPELLINGS = 20
    LONGEST = 60
    """Characters of a name or a spelling."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, present: Iterable[OwnWord]) -> None:
        super().__init__(data, auto_id="words_%s")
        lines = [
            (word.kind, " = ".join([word.name, ", ".join(word.spellings)][: 1 + bool(word.spellings)]))
            for word in present
        ]
        self.words: list[Word] = []
        for kind, (label, example) in _kinds_of_words().items():
            text = "\n".join(line for of, line in lines if of == kind)
            widget = forms.Textarea(attrs={"rows": 5, "placeholder": example})
            self.fields[kind] = forms.CharField(
                label=label, required=False, initial=text, widget=widget, max_length=100_000
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        taken: dict[str, str] = {}
        for kind in _kinds_of_words():
            lines = [(n, " ".join(line.split())) for n, line in enumerate(data.get(kind, "").splitlines(), 1)]
            lines = [(n, line) for n, line in lines if line]
            if len(lines) > self.MOST:
                self.add_error(kind, gettext("At most {n} lines fit here.").format(n=self.MOST))
                continue
            for n, line in lines:
                self._read(kind, n, line, taken)
        return data

    def _read(self, kind: str, n: int, line: str, taken: dict[str, str]) -> None:
        name, _, rest = (part.strip() for part in line.partition("="))
        spellings = list(dict.fromkeys(part.strip() for part in rest.split(",") if part.strip()))
        for problem in self._problems(name, spellings, taken):
            self.add_error(kind, gettext("Line {n}: {problem}").format(n=n, problem=problem))
            return
        taken.update((fold(each), name) for each in (name, *spellings))
        self.words.append((kind, name, spellings))

    def _problems(self, name: str, spellings: list[str], taken: dict[str, str]) -> Iterator[str]:
        if not name:
            yield gettext("write the name before the “=”.")
        if len(spellings) > self.MOST_SPELLINGS:
            yield gettext("at most {n} other spellings.").format(n=self.MOST_SPELLINGS)
        for each in (name, *spellings):
            if len(each) > self.LONGEST or len(fold(each)) > 2 * self.LONGEST:
                yield gettext("“{word}…” is longer than {n} characters.").format(word=each[:20], n=self.LONGEST)
            elif not any(map(str.isalnum, fold(each))):
                yield gettext("“{word}” has no letters to be found by.").format(word=each)
            elif fold(each) in taken:
                yield gettext("“{word}” is written above already, for “{name}”.").format(
                    word=each, name=taken[fold(each)]
                )


def _kinds_of_words() -> dict[str, tuple[str, str]]:
    """What each kind is called, and an example."""
    return {
        OwnWord.Kind.PRODUCT.value: (gettext("Products and services"), gettext("King cake = kings cake, roscón")),
        OwnWord.Kind.PERSON.value: (gettext("People"), gettext("Nerea")),
        OwnWord.Kind.PLACE.value: (gettext("Places"), gettext("Atocha branch = the Atocha shop")),
    }


class AvoidedForm(forms.Form):
    """The words the brand avoids, one a line: `word`, or `word = what to say instead`."""

    avoided = forms.CharField(
        label=_("Words to avoid"), required=False, max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": _("cheap = good value")}),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, present: Iterable[AvoidedWord] = ()) -> None:
        lines = [" = ".join(filter(None, [one.word, one.instead])) for one in present]
        super().__init__(data, initial={"avoided": "\n".join(lines)})
        self.words: list[tuple[str, str]] = []

    def clean_avoided(self) -> str:
        text: str = self.cleaned_data["avoided"]
        taken: set[str] = set()
        for n, line in enumerate(text.splitlines(), 1):
            word, _sign, instead = (" ".join(part.split()) for part in line.partition("="))
            if not word and not instead:
                continue
            if problem := self._problem(word, instead, taken):
                raise forms.ValidationError(gettext("Line {n}: {problem}").format(n=n, problem=problem))
            taken.add(fold(word))
            self.words.append((word, instead))
        return text

    def _problem(self, word: str, instead: str, taken: set[str]) -> str:
        if len(taken) >= WordsForm.MOST:
            return gettext("At most {n} lines fit here.").format(n=WordsForm.MOST)
        if not any(map(str.isalnum, fold(word))):
            return gettext("“{word}” has no letters to be found by.").format(word=word[:60])
        if len(word) > WordsForm.LONGEST or len(fold(word)) > 2 * WordsForm.LONGEST:
            return gettext("“{word}…” is longer than {n} characters.").format(word=word[:20], n=WordsForm.LONGEST)
        if len(instead) > 200:
            return gettext("“{word}…” is longer than {n} characters.").format(word=instead[:20], n=200)
        return gettext("“{word}” stands here twice.").format(word=word) if fold(word) in taken else ""


class HoursForm(forms.Form):
    """A week of opening hours: for each day some places for a stretch, from and to."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, present: list[Stretch]) -> None:
        super().__init__(data)
        by_day = {day: [(a, b) for weekday, a, b in sorted(present) if weekday == day] for day in WEEKDAYS}
        self.places = max(STRETCHES, *(len(stretches) for stretches in by_day.values()))
        for day, stretches in by_day.items():
            for place in range(self.places):
                opens, closes = stretches[place] if place < len(stretches) else (None, None)
                self.fields[f"opens_{day}_{place}"] = _time(opens, _("{day}, from"), day)
                self.fields[f"closes_{day}_{place}"] = _time(closes, _("{day}, to"), day)

    @property
    def days(self) -> list[dict[str, Any]]:
        """The week as the page shows it."""
        return [
            {
                "name": name,
                "pairs": [(self[f"opens_{day}_{n}"], self[f"closes_{day}_{n}"]) for n in range(self.places)],
                "errors": [
                    error
                    for n in range(self.places)
                    for error in (*self.errors.get(f"opens_{day}_{n}", []), *self.errors.get(f"closes_{day}_{n}", []))
                ],
            }
            for day, name in WEEKDAYS.items()
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for day in WEEKDAYS:
            until: time | None = None
            for opens, closes, place in sorted(self._pairs(data, day)):
                if until is not None and opens < until:
                    self.add_error(f"opens_{day}_{place}", _("It begins before the one before it ends."))
                until = closes
        return data

    def _pairs(self, data: Mapping[str, Any], day: int) -> list[tuple[time, time, int]]:
        pairs = []
        for place in range(self.places):
            opens, closes = data.get(f"opens_{day}_{place}"), data.get(f"closes_{day}_{place}")
            if (opens is None) != (closes is None):
                self.add_error(f"closes_{day}_{place}", _("Write both hours, or none."))
            elif opens is not None and closes is not None:
                if opens >= closes:
                    self.add_error(f"closes_{day}_{place}", _("It closes before it opens. Midnight is 23:59."))
                else:
                    pairs.append((opens, closes, place))
        return pairs

    @property
    def stretches(self) -> list[Stretch]:
        return [(day, a, b) for day in WEEKDAYS for a, b, _place in sorted(self._pairs(self.cleaned_data, day))]


def _time(value: time | None, label: Any, day: int) -> forms.TimeField:
    text = str(label).format(day=WEEKDAYS[day])
    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time", "aria-label": text})
    return forms.TimeField(label=text, required=False, initial=value, widget=widget)
