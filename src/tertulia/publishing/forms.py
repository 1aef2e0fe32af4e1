"""What people may send to the publishing room."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, URLValidator, validate_email
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import clock, dates, marks
from tertulia.core.choices import SeveralRows, name_empty
from tertulia.core.html import tidy
from tertulia.strategy import queries as strategy
from tertulia.strategy import wording
from tertulia.strategy.actions import FIELDS
from tertulia.strategy.models import Campaign
from tertulia.team.models import User
from tertulia.team.permissions import Role

from . import actions, approval, handles, kits, queries, relays
from .models import (
    LAST_DAY,
    ApprovalRule,
    ApprovalStep,
    Evergreen,
    Handle,
    Idea,
    Initiative,
    Kit,
    Media,
    Pillar,
    Relay,
    Series,
    Settings,
    Share,
)
from .problems import Problem
from .series import MOST_TEXTS, Rule


class TimeForm(forms.Form):
    """A day and a time on the wall."""

    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}))


class MoveForm(forms.Form):
    """Another day, and another time where one is given."""

    on = forms.DateField()
    time = forms.TimeField(required=False)


class SlotForm(forms.Form):
    """A slot of the queue; nothing means the next one."""

    on = forms.DateField(required=False)
    time = forms.TimeField(required=False)

    @property
    def wall(self) -> datetime | None:
        on, at = self.cleaned_data["on"], self.cleaned_data["time"]
        return datetime.combine(on, at) if on and at else None


class HandleForm(forms.Form):
    """Somebody's name, and what each network of the brand calls them."""

    name = forms.CharField(label=_("Name"), max_length=handles.LONGEST)

    def __init__(self, data: Any = None, *, brand: Brand, handle: Handle | None, **more: Any) -> None:
        super().__init__(data, initial={"name": handle.name if handle else ""}, **more)
        self.networks = {f"on-{one.key.encode().hex()}": one for one in handles.networks(brand)}
        for field, one in self.networks.items():
            self.fields[field] = forms.CharField(
                label=one.name, max_length=handles.LONGEST_ADDRESS, required=False,
                widget=forms.TextInput(attrs={"placeholder": one.rule.such_as, "autocomplete": "off"}),
            )  # fmt: skip
            if handle and (address := handle.addresses.get(one.key)):
                self.initial[field] = f"@{address}"

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for field, one in self.networks.items():
            try:
                said[field] = handles.tidied(said.get(field, ""), one.rule)
            except Problem as problem:
                self.add_error(field, str(problem))
        return said

    def addresses(self) -> dict[str, str]:
        return {one.key: self.cleaned_data[field] for field, one in self.networks.items()}


class StopForm(forms.Form):
    because = forms.CharField(label=_("Why"), max_length=300, required=False)
    holds_answers = forms.BooleanField(label=_("Hold answers to people as well"), required=False)


class DecisionForm(forms.Form):
    was_sent = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    url = forms.URLField(required=False, max_length=500, assume_scheme="https")


class CompletionForm(forms.Form):
    url = forms.URLField(required=False, max_length=500, assume_scheme="https")


def _ask_words(form: forms.ModelForm, brand: Brand) -> None:  # type: ignore[type-arg]
    """By which messages are known to speak of what the form is about."""
    field: Any = form.fields["words"]
    field.help_text = _(
        "A word or a phrase a line; any of them is enough. Messages that come while it runs, or in the week after it, "
        "are linked to it."
    )
    if not form.instance.pk:
        field.help_text = format_lazy("{} {}", field.help_text, _("Left empty, it begins with those of its name."))
    field.validators += [MaxLengthValidator(2000), partial(_says_more_than_the_name, brand)]


def _says_more_than_the_name(brand: Brand, text: str) -> None:
    for line in text.splitlines():
        if line.strip() and not wording.entries(line, brand):
            raise ValidationError(
                _("“%(word)s” is only your name and stands in messages of all sorts: add what is said of this alone."),
                params={"word": line.strip()},
            )  # fmt: skip


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Campaign
        fields = FIELDS
        widgets = {
            "goal": forms.Textarea(attrs={"rows": 2}),
            "audience": forms.Textarea(attrs={"rows": 2}),
            "messages": forms.Textarea(attrs={"rows": 4}),
            "words": forms.Textarea(attrs={"rows": 3}),
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "currency": forms.TextInput(attrs={"size": 4, "maxlength": 3, "autocapitalize": "characters"}),
        }
        help_texts = {
            "goal": _("What should be so at its end that isn't so now."),
            "messages": _("A line each: what people should keep in mind."),
        }

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner: Any = self.fields["owner"]
        owner.queryset = User.objects.filter(memberships__brand=brand).order_by("name", "pk")
        name_empty(owner, _("Nobody yet"))
        _ask_words(self, brand)

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper()
        if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
            raise forms.ValidationError(_("Three letters: EUR, MXN, USD…"))
        return currency

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day comes before the first."))
        return data


class DecidingForm(forms.Form):
    verdict = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    comment = forms.CharField(
        label=_("A word about it"), required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 3})
    )


class GuestForm(DecidingForm):
    name = forms.CharField(label=_("Your name"), max_length=120)


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule of approval with up to three steps."""

    STEPS = 3
    topic = forms.ChoiceField(
        label=_("What it is about"), required=False, help_text=_("As far as its words tell: it is read like a message.")
    )

    class Meta:
        model = ApprovalRule
        fields = ("account", "campaign", "author", "words", "topic", "pillar", "allows_own")
        widgets = {"words": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"words": _("A word or a phrase a line; any of them is enough. Empty: whatever it says.")}

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(memberships__brand=brand, is_active=True).order_by("name", "pk")
        fields: Any = self.fields
        fields["account"].queryset = queries.of_brand(brand).filter(
            kind__in=[one.kind for one in queries.accounts(brand)]
        )
        fields["campaign"].queryset = strategy.open_to(brand, self.instance.campaign_id or 0)
        fields["author"].queryset = people
        fields["topic"].choices = [
            ("", _("Whatever it is about")),
            *approval.topics(brand, self.instance.topic).items(),
        ]
        fields["pillar"].queryset = Pillar.objects.filter(brand=brand).order_by("name", "pk")
        name_empty(fields["pillar"], _("With and without a pillar"))
        name_empty(fields["account"], _("Every channel"))
        name_empty(fields["campaign"], _("With and without a campaign"))
        name_empty(fields["author"], _("Whoever writes it"))
        there = list(self.instance.steps.order_by("number")) if self.instance.pk else []
        for n in range(self.STEPS):
            step = there[n] if n < len(there) else None
            self._add_step(n, people, step)

    def _add_step(self, n: int, people: Any, step: ApprovalStep | None) -> None:
        self.fields[f"users{n}"] = SeveralRows(
            people, label=_("People"), required=False, widget=forms.CheckboxSelectMultiple,
            initial=[user.pk for user in step.users.all()] if step else [],
        )  # fmt: skip
        roles = [("", _("No role")), *Role.choices]
        self.fields[f"role{n}"] = forms.ChoiceField(
            choices=roles, label=_("Everybody of a role"), required=False, initial=step.role if step else ""
        )
        self.fields[f"outside{n}"] = forms.CharField(
            label=_("People without an account"), required=False, max_length=2_000,
            widget=forms.Textarea(attrs={"rows": 2}), help_text=_("An e-mail address a line. They get a link."),
            initial="\n".join(step.outside) if step else "",
        )  # fmt: skip
        self.fields[f"all{n}"] = forms.ChoiceField(
            label=_("How many"), choices=[("", _("One of them is enough")), ("1", _("All of them"))], required=False,
            initial="1" if step and step.needs_all else "",
        )  # fmt: skip

    @property
    def step_fields(self) -> list[tuple[int, list[forms.BoundField]]]:
        names = ("users", "role", "outside", "all")
        return [(n + 1, [self[f"{name}{n}"] for name in names]) for n in range(self.STEPS)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for n in range(self.STEPS):
            addresses = [line.strip().lower() for line in data.get(f"outside{n}", "").splitlines() if line.strip()]
            for address in addresses:
                try:
                    validate_email(address)
                except forms.ValidationError:
                    says = _("“%(address)s” is no e-mail address.")
                    self.add_error(f"outside{n}", forms.ValidationError(says, params={"address": address[:80]}))
            data[f"outside{n}"] = list(dict.fromkeys(addresses))
        return data

    def steps(self) -> list[dict[str, Any]]:
        """Those that name anybody, as `actions.save_rule` takes them."""
        said = self.cleaned_data
        return [
            {"users": said[f"users{n}"], "role": said[f"role{n}"], "outside": said[f"outside{n}"],
             "needs_all": said[f"all{n}"] == "1"}
            for n in range(self.STEPS)
            if said[f"users{n}"] or said[f"role{n}"] or said[f"outside{n}"]
        ]  # fmt: skip


class LearnedForm(forms.Form):
    learned = forms.CharField(
        label=_("What was learned"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say first what was learned: the next campaign begins there.")},
    )  # fmt: skip


def _day_field(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(
        label=label, required=required, widget=widget, help_text=help_text, validators=[_in_our_time]
    )  # fmt: skip


def _in_our_time(on: Any) -> None:
    if on.year not in actions.YEARS:
        raise ValidationError(_("Choose a day of this century or the next."))


class SeriesForm(forms.Form):
    """The rule of a series; `rule` of a valid one."""

    every = forms.IntegerField(label=_("Every"), min_value=1, max_value=99, initial=1)
    unit = forms.ChoiceField(label=_("Days, weeks or months"), choices=Series.Unit, initial=Series.Unit.WEEK)
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    month_day = forms.TypedChoiceField(label=_("Day of the month"), coerce=int, initial=1)
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    zone = forms.ChoiceField(label=_("Time zone"))
    starts_on = _day_field(_("First day"))
    ends_on = _day_field(_("Last day"), required=False)
    most = forms.IntegerField(label=_("Times at most"), min_value=1, max_value=1000, required=False)
    ahead_days = forms.IntegerField(
        label=_("Days ahead on the calendar"), min_value=1, max_value=90, initial=30,
        help_text=_("So early its posts are made, for everybody to see."),
    )  # fmt: skip
    then = forms.ChoiceField(
        label=_("Each time it is"), choices=Series.Then, widget=forms.RadioSelect, initial=Series.Then.DRAFT
    )
    texts = forms.CharField(
        label=_("Other wordings"), required=False, widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        max_length=actions.LONGEST_PART,
        help_text=_("Taken in turn, after the post's own text. A line of three dashes begins the next one."),
    )  # fmt: skip

    def __init__(self, *args: Any, has_model: bool, may_publish: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["weekdays"].choices = [(number, whole) for number, (_short, whole) in enumerate(dates.weekdays())]
        last = [(LAST_DAY, _("the last day"))]
        fields["month_day"].choices = [(number, str(number)) for number in range(1, LAST_DAY)] + last
        fields["zone"].choices = [(zone, zone) for zone in sorted(actions.zones_known())]
        if not has_model:
            del fields["texts"]
        if not may_publish:
            fields["then"].choices = [(Series.Then.DRAFT.value, Series.Then.DRAFT.label)]

    def clean_texts(self) -> list[str]:
        texts = [tidy(text).strip() for text in self.cleaned_data["texts"].replace("\r\n", "\n").split("\n---")]
        texts = [text.lstrip("-").strip() for text in texts]
        texts = [text for text in texts if text]
        if len(texts) > MOST_TEXTS:
            raise ValidationError(_("%(limit)s other wordings at most."), params={"limit": MOST_TEXTS})
        return texts

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("starts_on") and data.get("ends_on") and data["ends_on"] < data["starts_on"]:
            self.add_error("ends_on", _("It ends before it begins."))
        return data

    @property
    def rule(self) -> Rule:
        return Rule(**self.cleaned_data)


class EvergreenForm(forms.ModelForm):  # type: ignore[type-arg]
    """How often a text may be repeated."""

    class Meta:
        model = Evergreen
        fields = ["rest_days", "most", "ends_on"]
        widgets = {"ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def clean_ends_on(self) -> Any:
        if on := self.cleaned_data["ends_on"]:
            _in_our_time(on)
        return on


class RepetitionForm(forms.Form):
    on = _day_field(_("Day"))
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}))


class SkipForm(forms.Form):
    on = forms.DateField()


class InitiativeForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Initiative
        fields = ["title", "kind", "starts_on", "ends_on", "place", "cost", "owner", "campaign", "notes", "words"]
        widgets = {
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "cost": forms.NumberInput(attrs={"min": "0", "step": "0.01"}),
            "notes": forms.Textarea(attrs={"rows": 4}),
            "words": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {"ends_on": _("The same day when it lasts one day.")}

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["owner"].queryset = User.objects.filter(memberships__brand=brand, is_active=True).order_by("name", "pk")
        fields["campaign"].queryset = Campaign.objects.filter(brand=brand).order_by("name", "pk")
        fields["ends_on"].required = False
        name_empty(fields["owner"], _("nobody yet"))
        name_empty(fields["campaign"], _("none"))
        for name in ("starts_on", "ends_on"):
            fields[name].validators.append(_in_our_time)
        fields["notes"].validators.append(MaxLengthValidator(5000))
        _ask_words(self, brand)

    def clean_title(self) -> str:
        return tidy(self.cleaned_data["title"])

    def clean_place(self) -> str:
        return tidy(self.cleaned_data["place"])

    def clean_notes(self) -> str:
        return tidy(self.cleaned_data["notes"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        begins = data.get("starts_on")
        data["ends_on"] = data.get("ends_on") or begins
        if begins and data["ends_on"] < begins:
            self.add_error("ends_on", _("It ends before it begins."))
        elif begins and (data["ends_on"] - begins).days > 366:
            self.add_error("ends_on", _("A year at most."))
        return data


class IdeaForm(forms.ModelForm):  # type: ignore[type-arg]
    """An idea as somebody writes it down. A link is a page of the web, or an address of the brand's own desk."""

    class Meta:
        model = Idea
        fields = ["title", "brief", "owner", "format", "pillar", "due_on", "url"]
        widgets = {
            "brief": forms.Textarea(attrs={"rows": 6, "maxlength": 10_000}),
            "due_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "url": forms.TextInput(attrs={"inputmode": "url"}),
        }
        help_texts = {"brief": _("What it should say, for whom, and what must not be missing.")}

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brand = brand
        fields: Any = self.fields
        fields["owner"].queryset = User.objects.filter(memberships__brand=brand, is_active=True).order_by("name", "pk")
        fields["pillar"].queryset = Pillar.objects.filter(brand=brand).order_by("name", "pk")
        name_empty(fields["owner"], _("nobody yet"))
        name_empty(fields["format"], _("not decided"))
        name_empty(fields["pillar"], _("without a pillar"))
        fields["due_on"].validators.append(_in_our_time)
        fields["brief"].validators.append(MaxLengthValidator(10_000))

    def clean_title(self) -> str:
        return tidy(self.cleaned_data["title"])

    def clean_brief(self) -> str:
        return tidy(self.cleaned_data["brief"])

    def clean_url(self) -> str:
        url = tidy(self.cleaned_data["url"]).strip()
        return url if url.startswith(f"/b/{self.brand.slug}/") else _web_address(url)


class PillarForm(forms.ModelForm):  # type: ignore[type-arg]
    hue = forms.TypedChoiceField(label=_("Colour"), choices=marks.HUES, coerce=int, initial=30)

    class Meta:
        model = Pillar
        fields = ["name", "hue", "about"]

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.brand = brand

    def clean_name(self) -> str:
        name = " ".join(tidy(self.cleaned_data["name"]).split())
        taken = Pillar.objects.filter(brand=self.instance.brand, name__iexact=name).exclude(pk=self.instance.pk)
        if not name or taken.exists():
            raise ValidationError(_("There is a pillar of that name already."))
        return name


class ResultForm(forms.Form):
    result = forms.CharField(
        label=_("What came of it"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class ExportForm(forms.Form):
    since = _day_field(_("From"))
    until = _day_field(_("To"))


class ImportForm(forms.Form):
    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}))
    schedules = forms.BooleanField(
        label=_("Schedule its posts"), required=False, help_text=_("Otherwise they become drafts with a day.")
    )


class PeopleFileForm(forms.Form):
    """People for a newsletter, who have agreed elsewhere."""

    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}))
    basis = forms.CharField(
        label=_("On what basis you have them"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("When and where they agreed, and to what. It is kept with each of them."),
    )  # fmt: skip


class RhythmForm(forms.Form):
    """What an account promises; without a number it promises nothing."""

    per_week = forms.IntegerField(
        label=_("Times a week"), required=False, min_value=1, max_value=50,
        help_text=_("Empty: nothing is promised."),
    )  # fmt: skip
    starts_on = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("It counts from the first Monday on or after this day."),
    )  # fmt: skip


class GraceForm(forms.ModelForm):  # type: ignore[type-arg]
    """How late a post may leave."""

    class Meta:
        model = Settings
        fields = ("grace_minutes",)


class RelayForm(forms.ModelForm):  # type: ignore[type-arg]
    """What becomes of the new articles of a feed."""

    accounts = SeveralRows(
        label=_("Accounts"), queryset=Account.objects.none(), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose first where it is to be published.")},
    )  # fmt: skip
    is_on = forms.BooleanField(label=_("Switched on"), required=False, initial=True)

    class Meta:
        model = Relay
        fields = ["source", "accounts", "template", "then", "most_a_day"]
        widgets = {"template": forms.Textarea(attrs={"rows": 4}), "then": forms.RadioSelect}
        help_texts = {
            "template": _("{title}, {summary}, {link} and {source} are filled in."),
            "most_a_day": _("What is left over waits for the next day, two days at most."),
        }

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        for name, some in (("source", relays.sources(brand)), ("accounts", queries.accounts(brand))):
            mine = Account.objects.filter(pk__in=[one.pk for one in some])
            fields[name].queryset = mine.defer("secrets").order_by("name", "pk")
        fields["source"].empty_label, fields["then"].choices = None, Relay.Then.choices
        if self.instance.pk:
            self.initial.update(accounts=list(self.instance.accounts.all()), is_on=bool(self.instance.on_at))

    def clean_template(self) -> str:
        template = tidy(self.cleaned_data["template"]).strip()
        if not any(f"{{{name}}}" in template for name in relays.FIELDS):
            raise ValidationError(_("Put {title} or {link} into it, else every post says the same."))
        return template


_DAY = {"type": "date"}


class KitForm(forms.ModelForm):  # type: ignore[type-arg]
    """What colleagues may share, until when, and who has links of their own."""

    names = forms.CharField(
        label=_("Colleagues with links of their own"), required=False, max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One in each line, as they are to be called: whoever has the link sees these names."),
    )  # fmt: skip

    class Meta:
        model = Kit
        fields = ["intro", "disclosure", "last_on", "counts", "names"]
        widgets = {
            "last_on": forms.DateInput(attrs=_DAY, format="%Y-%m-%d"),
            "intro": forms.Textarea(attrs={"rows": 2}),
        }
        help_texts = {
            "disclosure": _("A sentence or a tag at the end of every text: who speaks of their employer says so."),
            "counts": _("With short links of your own, without cookies."),
        }

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        if self.instance.pk:
            self.initial["names"] = "\n".join(self.instance.names)

    def clean_disclosure(self) -> str:
        return tidy(self.cleaned_data["disclosure"])

    def clean_intro(self) -> str:
        return tidy(self.cleaned_data["intro"])

    def clean_last_on(self) -> date:
        on: date = self.cleaned_data["last_on"]
        if not self.today <= on <= self.today + timedelta(days=366):
            raise ValidationError(_("Choose a day from today on, within a year."))
        return on

    def clean_names(self) -> list[str]:
        names = [line for line in tidy(self.cleaned_data["names"]).splitlines() if line.strip()]
        if len(names) > kits.MOST_NAMES:
            raise ValidationError(_("{limit} names at most.").format(limit=kits.MOST_NAMES))
        return names


class ShareForm(forms.ModelForm):  # type: ignore[type-arg]
    """What somebody else made, and what is said when it is passed on."""

    text = forms.CharField(
        label=_("What the post says"), max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Below it stand their name and the link, as each network names them."),
    )  # fmt: skip

    class Meta:
        model = Share
        fields = ["name", "url", "because"]
        widgets = {"url": forms.TextInput(attrs={"inputmode": "url"})}
        labels = {"because": _("Why no permission is needed")}
        help_texts = {
            "because": _(
                "For a link with a short quote of something public. Leave it empty where they are to be asked; of "
                "pictures and films they always are."
            )
        }

    field_order = ["name", "url", "text", "because"]

    def clean_name(self) -> str:
        return tidy(self.cleaned_data["name"])

    def clean_text(self) -> str:
        return tidy(self.cleaned_data["text"])

    def clean_because(self) -> str:
        return tidy(self.cleaned_data["because"])

    def clean_url(self) -> str:
        return _web_address(self.cleaned_data["url"])


class ShareQuestionForm(forms.Form):
    """That somebody was asked, other than by an answer of ours."""

    asked_on = forms.CharField(label=_("Where"), max_length=100)
    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    question = forms.CharField(
        label=_("In which words"), max_length=2_000, widget=forms.Textarea(attrs={"rows": 3})
    )  # fmt: skip

    def clean_on(self) -> date:
        return _not_to_come(self.cleaned_data["on"])


class ShareAnswerForm(forms.Form):
    """What they said, other than in a message that is here."""

    verdict = forms.ChoiceField(
        label=_("Their answer"), choices=[("yes", _("They allow it")), ("no", _("They don't want it"))],
        widget=forms.RadioSelect,
    )  # fmt: skip
    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    answer = forms.CharField(
        label=_("What they said"), max_length=2_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("In their own words, and where they said it."),
    )  # fmt: skip

    def clean_on(self) -> date:
        return _not_to_come(self.cleaned_data["on"])


class ShareReasonForm(forms.Form):
    """Why no permission is needed, or why it ends."""

    because = forms.CharField(max_length=300)

    def clean_because(self) -> str:
        return tidy(self.cleaned_data["because"])


def _not_to_come(on: date) -> date:
    """A day of our time that isn't to come: in whatever zone it is already tomorrow somewhere."""
    if not date(2000, 1, 1) <= on <= clock.now().date() + timedelta(days=1):
        raise ValidationError(_("This day is still to come, or long gone."))
    return on


def _web_address(url: str) -> str:
    url = tidy(url).strip()
    if url:
        try:
            URLValidator(["http", "https"])(url)
        except ValidationError:
            raise ValidationError(_("Write the whole address, with https:// before it.")) from None
    return url


class LibraryFilter(forms.Form):
    """Which pictures are looked for."""

    q = forms.CharField(max_length=100, required=False)
    which = forms.ChoiceField(choices=[(name, name) for name in queries.SHELVES], required=False)
    before = forms.IntegerField(min_value=1, max_value=2**62, required=False)


class DetailsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is known of a picture."""

    class Meta:
        model = Media
        fields = ["alt", "credit", "rights_until", "is_customers", "permission"]
        widgets = {
            "alt": forms.Textarea(attrs={"rows": 3, "maxlength": 1500}),
            "rights_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "permission": forms.Textarea(attrs={"rows": 2, "maxlength": 2000}),
        }
        help_texts = {
            "rights_until": _("The last day. No post can be scheduled with it for a later one."),
            "permission": _("Who said yes, when and where: without it nothing of a customer's is published."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.share_id:  # what is known of that permission stands on its own page
            del self.fields["is_customers"], self.fields["permission"]


SHAPES: dict[str, tuple[int, int]] = {"1:1": (1, 1), "4:5": (4, 5), "16:9": (16, 9), "1.91:1": (191, 100)}
"""Width to height as networks like to show pictures."""


class CropForm(forms.Form):
    """How a picture is to be turned, or cut: to a shape, and from where on as shares of its sides in percent."""

    turn = forms.TypedChoiceField(
        label=_("Turn"), choices=[(90, "90"), (180, "180"), (270, "270")], coerce=int, empty_value="", required=False
    )
    shape = forms.ChoiceField(
        label=_("Shape"), choices=[("", _("free")), *((name, name) for name in SHAPES)], required=False
    )
    left = forms.FloatField(label=_("From the left, %"), min_value=0, max_value=100, required=False)
    top = forms.FloatField(label=_("From above, %"), min_value=0, max_value=100, required=False)
    width = forms.FloatField(label=_("Width, %"), min_value=0, max_value=100, required=False)
    height = forms.FloatField(label=_("Height, %"), min_value=0, max_value=100, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("left", "top", "width", "height"):
            self.fields[name].widget.attrs |= {"step": "0.1", "inputmode": "decimal"}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not any(data.get(name) for name in ("turn", "shape", "width", "height")):
            raise forms.ValidationError(_("Choose a shape, or say what is to be left of the picture."))
        return data

    @property
    def wish(self) -> dict[str, Any]:
        """What `library.reshape` is asked for."""
        data = self.cleaned_data
        left, top = (None if data[name] is None else data[name] / 100 for name in ("left", "top"))
        crop = (left, top, (data["width"] or 100) / 100, (data["height"] or 100) / 100)
        return {"turn": data["turn"] or 0, "crop": crop, "shape": SHAPES.get(data["shape"])}
