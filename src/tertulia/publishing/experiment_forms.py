"""What people may send about experiments."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import dates
from tertulia.core.html import tidy
from tertulia.team.models import User

from . import actions, experiments, mailing, queries, rhythm
from .models import Experiment, Post

_OF_ONE_KIND: dict[str, tuple[str, ...]] = {
    Experiment.Kind.WORDING: ("text_b", "expects", "pairs"),
    Experiment.Kind.LETTER: ("title_b", "text_b", "expects", "pairs"),
    Experiment.Kind.FORMAT: ("format",),
}


class ExperimentForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is tried with a post; something new on one `account` of it. Offered is what the desk knows of these."""

    format = forms.ChoiceField(label=_("What is new there"))

    class Meta:
        model = Experiment
        fields = [
            "title", "hypothesis", "title_b", "text_b", "format", "measure", "expects", "matters", "pairs", "hours",
            "owner",
        ]  # fmt: skip
        widgets = {
            "hypothesis": forms.Textarea(attrs={"rows": 3}),
            "text_b": forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
            "expects": forms.RadioSelect,
        }
        help_texts = {
            "hypothesis": _("In your own words: “A question brings more comments, because people like to be asked.”"),
            "text_b": _("It takes the place of the first part's text. Pictures and further parts stay the same."),
            "matters": _("A smaller difference isn't worth the change: it counts as none."),
            "pairs": _("Each pair is one post with A and one with B. Fewer than six prove nothing."),
            "hours": _("All posts are compared at this age."),
        }

    def __init__(self, *args: Any, post: Post, account: Account | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = experiments.kind_of(post, account)
        fields: Any = self.fields
        for name in {name for names in _OF_ONE_KIND.values() for name in names} - {*_OF_ONE_KIND[kind]}:
            del fields[name]
        if kind == Experiment.Kind.WORDING:
            fields["text_b"].required = True
            fields["text_b"].validators.append(MaxLengthValidator(actions.LONGEST_PART))
            some = experiments.accounts(post)
        elif kind == Experiment.Kind.LETTER:
            fields["title_b"].help_text = _("Empty: the subject stays the same, and only the text differs.")
            fields["text_b"].help_text = _("Empty: the text stays the same, and only the subject differs.")
            fields["text_b"].validators.append(MaxLengthValidator(actions.LONGEST_PART))
            fields["pairs"].label, fields["pairs"].help_text = (
                _("People in all, at least"),
                _("So many have to click, or leave, with either wording: below that no winner is named."),
            )
            fields["pairs"].initial = self.initial.get("pairs", 20)
            some = [account] if account else []
        else:
            fields["format"].choices = experiments.formats_new_to(account, post) if account else []
            some = [account] if account else []
        self.measures = experiments.measures(some, post.brand)
        fields["measure"].choices = [each for each in Experiment.Measure.choices if each[0] in self.measures]
        team = User.objects.filter(memberships__brand=post.brand_id, is_active=True)
        fields["owner"].queryset = team.order_by("name", "pk")
        fields["owner"].empty_label, fields["owner"].required = None, True

    def clean_hypothesis(self) -> str:
        return tidy(self.cleaned_data["hypothesis"]).strip()


class SlotForm(forms.Form):
    """A free slot of the queue that is to be kept for something new; `chosen` of a valid one, its time on the wall of
    the brand's zone."""

    slot = forms.ChoiceField(
        label=_("Free slot"), error_messages={"invalid_choice": _("That slot is no longer free.")}
    )  # fmt: skip

    def __init__(self, *args: Any, brand: Brand, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = {one.pk: one for one in queries.accounts(brand) if not mailing.is_list(one)}
        today = at.astimezone(ZoneInfo(brand.time_zone)).date()
        self.free = {
            f"{account}.{wall:%Y-%m-%dT%H:%M}": (self.accounts[account], wall)
            for wall, account in rhythm.free(brand, at=at, days=experiments.HELD_DAYS)
            if account in self.accounts
        }
        fields: Any = self.fields
        fields["slot"].choices = [
            (name, f"{dates.day_heading(wall.date(), today=today)}, {wall:%H:%M} · {account.name}")
            for name, (account, wall) in self.free.items()
        ]

    @property
    def chosen(self) -> tuple[Account, datetime]:
        return self.free[self.cleaned_data["slot"]]


class ClosingForm(forms.Form):
    learned = forms.CharField(
        label=_("What was learned"), max_length=2_000, widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say first what was learned: the next one begins there.")},
    )  # fmt: skip
