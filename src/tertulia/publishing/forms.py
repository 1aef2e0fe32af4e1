"""What people may send to the publishing room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account

from . import queries
from .models import Media
from .saying import Piece, Shown, Wanted


class PostForm(forms.Form):
    """The common text of a post, its pictures, and where it is published. A line of three dashes begins a further
    part."""

    title = forms.CharField(label=_("Title"), max_length=200, required=False)
    text = forms.CharField(label=_("Text"), required=False, strip=False, widget=forms.Textarea)
    comment = forms.CharField(label=_("First comment"), required=False, strip=False, widget=forms.Textarea)
    accounts = forms.ModelMultipleChoiceField(label=_("Where"), queryset=Account.objects.none(), required=False)
    pictures = forms.ModelMultipleChoiceField(label=_("Pictures"), queryset=Media.objects.none(), required=False)
    seen = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = [account.pk for account in queries.accounts(brand)]
        self.fields["accounts"].queryset = queries.of_brand(brand).filter(pk__in=mine)  # type: ignore[attr-defined]
        self.fields["pictures"].queryset = queries.pictures(brand)  # type: ignore[attr-defined]

    @property
    def pieces(self) -> list[Piece]:
        said = self.cleaned_data
        shown = tuple(Shown(media.pk) for media in said["pictures"])
        texts = said["text"].replace("\r\n", "\n").split("\n---\n")
        pieces = [Piece(text, pictures=shown if not number else ()) for number, text in enumerate(texts)]
        return [*pieces, *([Piece(said["comment"], "comment")] if said["comment"].strip() else [])]

    @property
    def versions(self) -> dict[int, Wanted]:
        return {account.pk: Wanted() for account in self.cleaned_data["accounts"]}


class TimeForm(forms.Form):
    """A day and a time on the wall, of the brand's own zone."""

    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}))
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}))


class StopForm(forms.Form):
    because = forms.CharField(label=_("Why"), max_length=300, required=False)
    holds_answers = forms.BooleanField(label=_("Hold answers to people as well"), required=False)


class DecisionForm(forms.Form):
    was_sent = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    url = forms.URLField(required=False, max_length=500, assume_scheme="https")


class CompletionForm(forms.Form):
    url = forms.URLField(required=False, max_length=500, assume_scheme="https")


class MediaForm(forms.Form):
    file = forms.FileField(label=_("Picture"))
    alt = forms.CharField(label=_("What it shows, for those who can't see it"), max_length=1500, required=False)
