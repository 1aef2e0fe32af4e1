"""What people may send to the inbox."""

from __future__ import annotations

from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import dates, marks
from tertulia.core.choices import SeveralRows, name_empty
from tertulia.core.html import tidy
from tertulia.team.models import User
from tertulia.team.skills import languages
from tertulia.understanding import words
from tertulia.understanding.models import Brain, Topic
from tertulia.understanding.reading import LANGUAGES
from tertulia.understanding.teaching import own_topics

from . import pages, queries, rules
from .models import AutomaticReply, Conversation, Label, Rule, SavedReply, SavedView


class ReplyForm(forms.Form):
    text = forms.CharField(required=False, strip=False)
    turn = forms.IntegerField(min_value=0)
    seen = forms.IntegerField(min_value=0, required=False)
    closes = forms.BooleanField(required=False)


class TextForm(forms.Form):
    text = forms.CharField(required=False, strip=False)
    kind = forms.CharField(required=False)


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

    say = forms.CharField(max_length=80, required=False)
    undo = forms.CharField(max_length=80, required=False)
    topic = forms.CharField(max_length=60, required=False)
    """The name of a topic of the brand's own, new or not, that the message is about."""


class ImportForm(forms.Form):
    """A file of examples, as the export writes it."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("As the export writes it: a line of JSON for each example."),
        widget=forms.FileInput(attrs={"accept": ".jsonl,.json,.txt"}),
    )


class BrainForm(forms.Form):
    """Another model that reads."""

    kind = forms.ChoiceField(label=_("Where it runs"), choices=Brain.Kind)
    address = forms.URLField(
        label=_("Address"), max_length=500, required=False, assume_scheme="https",
        help_text=_("As its makers give it, up to /v1: http://127.0.0.1:11434/v1 is an Ollama on this machine. Private "
                    "addresses have to be allowed by whoever runs Tertulia (TERTULIA_ALLOWED_ADDRESSES)."),
    )  # fmt: skip
    model = forms.CharField(
        label=_("Model"), max_length=300,
        help_text=_("Its name there; of one on this machine, its folder or its name in the local cache."),
    )  # fmt: skip
    key = forms.CharField(
        label=_("Key"), max_length=500, required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("If it asks for one. Kept encrypted, never shown again; left empty, the one that is kept stays."),
    )  # fmt: skip
    fields_read = forms.MultipleChoiceField(label=_("What it reads"), widget=forms.CheckboxSelectMultiple)
    labels = forms.CharField(
        label=_("Labels"), required=False, max_length=4_000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Of a classifier on this machine: what it says and what that means, one a line: POS = positive"),
    )  # fmt: skip
    seconds = forms.IntegerField(label=_("Seconds it may take"), min_value=1, max_value=60, initial=20)
    monthly_tokens = forms.IntegerField(
        label=_("Tokens a month at most"), min_value=0, max_value=10**12, initial=1_000_000,
        help_text=_("About 300 for a message. Used up, the shipped model reads alone until the month ends."),
    )  # fmt: skip
    is_on = forms.BooleanField(label=_("Switched on"), required=False)

    def __init__(self, data: Any = None, *, brain: Brain | None = None) -> None:
        super().__init__(data, initial=_brain_as_kept(brain) if brain else None)
        self.fields["fields_read"].choices = list(words.all_fields().items())  # type: ignore[attr-defined]
        if brain is None:
            del self.fields["is_on"]  # it is tried first

    def clean_labels(self) -> dict[str, str]:
        lines = [line.partition("=") for line in self.cleaned_data["labels"].splitlines() if line.strip()]
        if any(not said.strip() or not means.strip() for said, _is, means in lines):
            raise forms.ValidationError(_("One a line, what it says = what that means."))
        return {said.strip(): means.strip() for said, _is, means in lines}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        is_here = cleaned.get("kind") == Brain.Kind.HUGGING_FACE
        if not is_here and not cleaned.get("address"):
            self.add_error("address", _("Say where it is."))
        if is_here and len(cleaned.get("fields_read", ())) > 1:
            self.add_error("fields_read", _("A classifier says one thing: choose one."))
        if is_here and not cleaned.get("labels"):
            self.add_error("labels", _("Say what its labels mean."))
        return cleaned

    def said(self) -> dict[str, Any]:
        """As `thinking.add` takes it."""
        said = {name: self.cleaned_data[name] for name in _BRAIN if name in self.cleaned_data}
        return {**said, "fields": self.cleaned_data["fields_read"]}


_BRAIN = ("kind", "address", "model", "key", "labels", "seconds", "monthly_tokens", "is_on")


def _brain_as_kept(brain: Brain) -> dict[str, Any]:
    kept = {name: getattr(brain, name) for name in _BRAIN if name != "key"}
    labels = "\n".join(f"{said} = {means}" for said, means in brain.labels.items())
    return {**kept, "fields_read": brain.fields, "labels": labels}


class TrialForm(forms.Form):
    text = forms.CharField(label=_("A message"), max_length=4_000, widget=forms.Textarea(attrs={"rows": 3}))


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
    hue = forms.TypedChoiceField(label=_("Colour"), choices=marks.HUES, coerce=int, initial=30)

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


class SpanField(forms.CharField):
    """How long something may take, in people's words; cleaned to whole minutes, or None."""

    def to_python(self, value: Any) -> Any:
        said = super().to_python(value)
        try:
            return dates.minutes(said) if said else None
        except ValueError as problem:
            raise forms.ValidationError(_("Write it like 30 min, 4 h or 2 d.")) from problem

    def prepare_value(self, value: Any) -> Any:
        return dates.span(value, in_hours=True) if isinstance(value, int) else value


class PromiseForm(forms.Form):
    account = forms.ModelChoiceField(
        Account.objects.none(), label=_("Channel"), required=False, empty_label=_("Every channel")
    )
    label = forms.ModelChoiceField(
        Label.objects.none(), label=_("Label"), required=False, empty_label=_("Every label"),
        help_text=_("The promise of a label comes before that of a channel, and both before the general one."),
    )  # fmt: skip
    first_response_minutes = SpanField(
        label=_("First response"),
        required=False,
        help_text=_("Such as 30 min, 4 h or 2 d; a day is 24 of these hours."),
    )
    resolution_minutes = SpanField(label=_("Resolution"), required=False)
    in_business_hours = forms.BooleanField(label=_("Only opening hours count"), required=False, initial=True)

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = Account.objects.filter(brand=brand)  # type: ignore[attr-defined]
        self.fields["label"].queryset = Label.objects.filter(brand=brand)  # type: ignore[attr-defined]


class AutomaticReplyForm(forms.Form):
    """What one channel answers by itself. The fields of each have names of their own on the page."""

    is_on = forms.BooleanField(label=_("Answer by itself"), required=False)
    when = forms.ChoiceField(label=_("When"), choices=AutomaticReply.When)

    def __init__(self, data: Any = None, *, account: Account) -> None:
        kept = AutomaticReply.objects.filter(account=account).first()
        super().__init__(data, prefix=f"channel-{account.pk}", initial=_kept(kept, account))
        self.account, self.is_kept_on = account, bool(kept and kept.is_on)
        self.own = own = account.brand.language
        called = dict(languages())
        for language in sorted(LANGUAGES, key=lambda each: each != own):
            self.fields[f"text_{language}"] = forms.CharField(
                label=_("Text, {language}").format(language=called[language]), required=False, max_length=2_000,
                widget=forms.Textarea(attrs={"rows": 5, "lang": language}),
                help_text=_("{nombre} is the person's first name, {marca} the brand, {cuando} when you open again.")
                if language == own else _("For who writes in it; left empty, they get the brand's own language."),
            )  # fmt: skip

    @property
    def texts(self) -> list[Any]:
        """In the brand's own language, and those that are written."""
        return [text for text in self._texts() if text.value() or text.name == f"text_{self.own}"]

    @property
    def more_texts(self) -> list[Any]:
        return [text for text in self._texts() if text not in self.texts]

    def _texts(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("text_")]

    def cleaned(self) -> dict[str, Any]:
        """As `automatic.set_reply` takes it."""
        texts = {name.removeprefix("text_"): said for name, said in self.cleaned_data.items() if name[:5] == "text_"}
        return {"is_on": self.cleaned_data["is_on"], "when": self.cleaned_data["when"], "texts": texts}


def _kept(kept: AutomaticReply | None, account: Account) -> dict[str, Any]:
    if kept is None:
        with translation.override(account.brand.language):
            return {f"text_{account.brand.language}": _automatic(account.brand)}
    return {"is_on": kept.is_on, "when": kept.when, **{f"text_{name}": text for name, text in kept.texts.items()}}


def _automatic(brand: Brand) -> str:
    """Something to start from, in the language that is set."""
    if brand.treatment == Brand.Treatment.FORMAL and brand.language == Brand.Language.SPANISH:
        return pgettext("usted", "Hello, {nombre}:\n\nwe have your message and will answer you {cuando}.\n\n{marca}")
    return pgettext("tú", "Hello, {nombre}:\n\nwe have your message and will answer you {cuando}.\n\n{marca}")


class JoiningForm(forms.Form):
    other = forms.IntegerField(min_value=1)


def _languages(kept: str) -> list[tuple[str, str]]:
    """Those with a name, and the one that a rule asks for already."""
    known = sorted(languages(), key=itemgetter(1))
    return known if not kept or kept in dict(known) else [*known, (kept, kept)]


def _topics(rule: Rule) -> list[tuple[str, str]]:
    """Those there are, and the one that the rule asks for already: without it the rule would hold for every message."""
    known, kept = {**own_topics(rule.brand_id), **words.topics()}, str(rule.conditions.get("topic") or "")
    if kept and kept not in known:
        name = Topic.objects.filter(brand=rule.brand_id, slug=kept).values_list("name", flat=True).first()
        known[kept] = gettext("{topic}, removed").format(topic=name or kept)
    return sorted(known.items(), key=itemgetter(1))


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
    language = forms.ChoiceField(label=_("Language"), required=False)
    topic = forms.ChoiceField(label=_("Topic"), required=False)
    person = forms.ChoiceField(label=_("Who writes"), required=False)
    confidence = forms.TypedChoiceField(label=_("How sure, at least"), required=False, coerce=int, empty_value="")
    subject = forms.CharField(label=_("The subject begins with"), max_length=80, required=False)
    words = forms.CharField(
        label=_("One of these words"), required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line, found whole."),
    )  # fmt: skip
    labels = SeveralRows(
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
    idea = forms.BooleanField(
        label=_("Make an idea of it"), required=False,
        help_text=_("It stands among the new ideas, with a link to the message."),
    )  # fmt: skip
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
            "offensive": [(str(int(value)), name) for value, name in words.offences().items()],
            "language": _languages(str(rule.conditions.get("language") or "")),
            "topic": _topics(rule),
            "person": [("new", _("Somebody new")), ("known", _("Somebody we know"))],
            "confidence": [(90, words.sure(0.9)), (70, words.sure(0.7))],
            "owner": names.people,
            "close": [(one.value, one.label) for one in (reasons.SPAM, reasons.NO_ANSWER_NEEDED)],
        }
        for field, choices in offered.items():
            self.fields[field].choices = [("", "–"), *choices]  # type: ignore[attr-defined]
        self.fields["tell"].choices = names.people  # type: ignore[attr-defined]
        self.fields["labels"].queryset = Label.objects.filter(brand=rule.brand).order_by("name")  # type: ignore[attr-defined]
        if isinstance(self.initial.get("words"), list):
            self.initial["words"] = "\n".join(self.initial["words"])
        if isinstance(self.initial.get("offensive"), bool):
            self.initial["offensive"] = str(int(self.initial["offensive"]))

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if Rule.objects.filter(brand=self.rule.brand, name=name).exclude(pk=self.rule.pk).exists():
            raise forms.ValidationError(_("There is a rule of that name already."))
        return name

    def clean_note(self) -> str:
        return tidy(self.cleaned_data["note"]).strip()

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
