"""What people may send to the inbox."""

from __future__ import annotations

from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core.choices import name_empty
from tertulia.team.models import User
from tertulia.understanding import words

from . import pages, queries, rules
from .models import Conversation, Label, Rule, SavedReply, SavedView

HUES = [
    (0, _("crimson")), (30, _("red")), (60, _("orange")), (90, _("yellow")), (120, _("lime")), (150, _("green")),
    (180, _("turquoise")), (210, _("sky")), (240, _("sea")), (270, _("blue")), (300, _("violet")), (330, _("pink")),
]  # fmt: skip


class ReplyForm(forms.Form):
    text = forms.CharField(required=False, strip=False)
    turn = forms.IntegerField(min_value=0)
    seen = forms.IntegerField(min_value=0, required=False)
    closes = forms.BooleanField(required=False)


class TextForm(forms.Form):
    text = forms.CharField(required=False, strip=False)


class PresenceForm(forms.Form):
    typing = forms.BooleanField(required=False)


class DecisionForm(forms.Form):
    was_sent = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])


class ActForm(forms.Form):
    """An act by the name the contract gives it, with a minus before it to take it back; `because` is the reason."""

    act = forms.CharField(max_length=20)
    because = forms.CharField(max_length=300, required=False)

    @property
    def problem(self) -> str:
        if "because" in self.errors:
            return gettext("Say why in at most 300 characters.")
        return gettext("Something was missing. Try it again.")


class ReadingForm(forms.Form):
    """What a message means, a field and a value («urgency=100»); or the field whose correction is taken back."""

    say = forms.CharField(max_length=40, required=False)
    undo = forms.CharField(max_length=20, required=False)


class CompletionForm(forms.Form):
    """Where what was done by hand can be seen."""

    url = forms.URLField(max_length=500, required=False, assume_scheme="https")

    @property
    def problem(self) -> str:
        return gettext("That is no web address. Copy it whole, or leave it empty.")


class AssignForm(forms.Form):
    """To somebody of the brand, or to nobody."""

    to = forms.ModelChoiceField(User.objects.none(), required=False)

    def __init__(self, data: Any, *, brand: Brand) -> None:
        super().__init__(data)
        self.fields["to"].queryset = User.objects.filter(pk__in=queries.people(brand))  # type: ignore[attr-defined]


class LabellingForm(forms.Form):
    """One label, to put on or to take off."""

    add = forms.ModelChoiceField(Label.objects.none(), required=False)
    remove = forms.ModelChoiceField(Label.objects.none(), required=False)

    def __init__(self, data: Any, *, brand: Brand) -> None:
        super().__init__(data)
        for name in ("add", "remove"):
            self.fields[name].queryset = Label.objects.filter(brand=brand)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if bool(cleaned.get("add")) == bool(cleaned.get("remove")):
            raise forms.ValidationError(_("Choose a label."))
        return cleaned


class SnoozeForm(forms.Form):
    """A moment, with its own zone or in the brand's."""

    until = forms.CharField(max_length=40)

    def __init__(self, data: Any, *, brand: Brand) -> None:
        super().__init__(data)
        self.zone = ZoneInfo(brand.time_zone)

    def clean_until(self) -> datetime:
        try:
            moment = parse_datetime(self.cleaned_data["until"])
            if moment is None:
                raise ValueError
            return moment.astimezone(UTC) if moment.tzinfo else zones.moment(moment, self.zone)
        except (ValueError, OverflowError):
            raise forms.ValidationError(_("Choose a day and an hour.")) from None


class ClosureForm(forms.Form):
    reason = forms.ChoiceField(choices=Conversation.Reason)


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]
    is_shared = forms.BooleanField(required=False)

    class Meta:
        model = SavedView
        fields = ["name"]


class LabelForm(forms.ModelForm):  # type: ignore[type-arg]
    words = forms.CharField(
        label=_("Words that put it on"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line. A message that holds one of them gets the label by itself."),
    )  # fmt: skip
    hue = forms.TypedChoiceField(label=_("Colour"), choices=HUES, coerce=int, initial=30)

    class Meta:
        model = Label
        fields = ["name", "hue", "words"]
        labels = {"name": _("Name")}

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.brand = brand
        if isinstance(self.initial.get("words"), list):
            self.initial["words"] = "\n".join(self.initial["words"])

    def clean_words(self) -> list[str]:
        words = [" ".join(line.split()) for line in self.cleaned_data["words"].splitlines()]
        return list(dict.fromkeys(word[:60] for word in words if word))[:200]

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        taken = Label.objects.filter(brand=self.instance.brand, name__iexact=name).exclude(pk=self.instance.pk)
        if taken.exists():
            raise forms.ValidationError(_("There is a label of that name already."))
        return name


class SavedReplyForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SavedReply
        fields = ["title", "language", "text"]
        labels = {"title": _("Title"), "language": _("Language"), "text": _("Text")}
        widgets = {"text": forms.Textarea(attrs={"rows": 8})}
        help_texts = {
            "text": _("{nombre} is the person's first name, {agente} whoever answers, {marca} the brand."),
            "language": _("Offered first to whoever writes in it."),
        }

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.brand = brand
        name_empty(self.fields["language"], _("Any language"))

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"].strip()
        taken = SavedReply.objects.filter(brand=self.instance.brand, title=title).exclude(pk=self.instance.pk)
        if taken.exists():
            raise forms.ValidationError(_("There is a saved reply of that title already."))
        return title


class PromiseForm(forms.Form):
    account = forms.ModelChoiceField(
        Account.objects.none(), label=_("Channel"), required=False, empty_label=_("Every channel")
    )
    label = forms.ModelChoiceField(
        Label.objects.none(), label=_("Label"), required=False, empty_label=_("Every label"),
        help_text=_("The promise of a label comes before that of a channel, and both before the general one."),
    )  # fmt: skip
    first_response_minutes = forms.IntegerField(label=_("First response, minutes"), required=False, min_value=1)
    resolution_minutes = forms.IntegerField(label=_("Resolution, minutes"), required=False, min_value=1)
    in_business_hours = forms.BooleanField(label=_("Only opening hours count"), required=False, initial=True)

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = Account.objects.filter(brand=brand)  # type: ignore[attr-defined]
        self.fields["label"].queryset = Label.objects.filter(brand=brand)  # type: ignore[attr-defined]


class JoiningForm(forms.Form):
    other = forms.IntegerField(min_value=1)


class RuleForm(forms.Form):
    """If … then …; what is left empty isn't asked, or isn't done."""

    name = forms.CharField(label=_("Name"), max_length=80)
    account = forms.TypedChoiceField(label=_("Account"), required=False, coerce=int, empty_value="")
    channel = forms.ChoiceField(label=_("Channel"), required=False)
    kind = forms.ChoiceField(label=_("What it is"), required=False)
    sentiment = forms.ChoiceField(label=_("Feeling"), required=False)
    urgency = forms.TypedChoiceField(label=_("Urgency, at least"), required=False, coerce=int, empty_value="")
    offensive = forms.TypedChoiceField(
        label=_("Offence"), required=False, coerce=lambda value: value == "1", empty_value=""
    )
    language = forms.CharField(label=_("Language, as its two letters"), max_length=2, required=False)
    topic = forms.ChoiceField(label=_("Topic"), required=False)
    person = forms.ChoiceField(label=_("Who writes"), required=False)
    confidence = forms.TypedChoiceField(label=_("How sure, at least"), required=False, coerce=int, empty_value="")
    words = forms.CharField(
        label=_("One of these words"), required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line, found whole."),
    )  # fmt: skip
    labels = forms.ModelMultipleChoiceField(
        Label.objects.none(), label=_("Put on the labels"), required=False, widget=forms.CheckboxSelectMultiple
    )
    owner = forms.TypedChoiceField(label=_("Give it to"), required=False, coerce=int, empty_value="")
    tell = forms.TypedMultipleChoiceField(
        label=_("Notify"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    managers = forms.BooleanField(label=_("Notify whoever manages the brand"), required=False)
    note = forms.CharField(
        label=_("Write a note"), required=False, max_length=2_000, widget=forms.Textarea(attrs={"rows": 2})
    )
    close = forms.ChoiceField(
        label=_("Close it"), required=False,
        help_text=_("Whoever opens it again undoes it. As spam only what was read as spam or as nothing else."),
    )  # fmt: skip
    stops = forms.BooleanField(label=_("Stop here: the rules below are not asked"), required=False)

    def __init__(self, data: Any, *, rule: Rule) -> None:
        super().__init__(data, initial={"name": rule.name, "stops": rule.stops, **rule.conditions, **rule.acts})
        self.rule = rule
        names = queries.names(rule.brand)
        reasons = Conversation.Reason
        offered: dict[str, list[tuple[Any, Any]]] = {
            "account": [(id, name) for id, name, _kind in names.accounts],
            "channel": sorted({(kind, pages.channel_name(kind)) for _id, _name, kind in names.accounts}),
            "kind": list(words.kinds().items()),
            "sentiment": list(words.sentiments().items()),
            "urgency": [(level, name) for level, name in words.urgencies().items() if level],
            "offensive": [("1", _("Offensive")), ("0", _("Not offensive"))],
            "topic": sorted(words.topics().items(), key=itemgetter(1)),
            "person": [("new", _("Somebody new")), ("known", _("Somebody we know"))],
            "confidence": [(90, words.sure(0.9)), (70, words.sure(0.7))],
            "owner": names.people,
            "close": [(one.value, one.label) for one in (reasons.SPAM, reasons.NO_ANSWER_NEEDED)],
        }
        for field, choices in offered.items():
            self.fields[field].choices = [("", "–"), *choices]  # type: ignore[attr-defined]
        self.fields["tell"].choices = names.people  # type: ignore[attr-defined]
        self.fields["labels"].queryset = Label.objects.filter(brand=rule.brand)  # type: ignore[attr-defined]
        if isinstance(self.initial.get("words"), list):
            self.initial["words"] = "\n".join(self.initial["words"])
        if isinstance(self.initial.get("offensive"), bool):
            self.initial["offensive"] = str(int(self.initial["offensive"]))

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if Rule.objects.filter(brand=self.rule.brand, name=name).exclude(pk=self.rule.pk).exists():
            raise forms.ValidationError(_("There is a rule of that name already."))
        return name

    def clean_words(self) -> list[str]:
        found = [" ".join(line.split())[:60] for line in self.cleaned_data["words"].splitlines()]
        return list(dict.fromkeys(filter(None, found)))[:200]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not any(cleaned.get(name) for name in rules.ACTS):
            raise forms.ValidationError(_("Say what the rule does."))
        return cleaned

    def filled(self) -> Rule:
        """The rule as the form says it."""
        said = {name: value for name, value in self.cleaned_data.items() if value or value is False}
        said["labels"] = [label.pk for label in self.cleaned_data["labels"]]
        self.rule.name, self.rule.stops = said["name"], said["stops"]
        wanted = [*rules.CONDITIONS, "confidence"]
        self.rule.conditions = {name: said[name] for name in wanted if name in said}
        self.rule.acts = {name: said[name] for name in rules.ACTS if said.get(name)}
        return self.rule
