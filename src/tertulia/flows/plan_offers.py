"""What the desk knows already and a step of a plan may take over: each with one press, nothing by itself. It is worded
in the brand's language, as the plan is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from tertulia.brand.models import AvoidedWord, Brand, OwnWord
from tertulia.channels import figures
from tertulia.channels.models import Account, Metric
from tertulia.insight import topics
from tertulia.publishing import planned
from tertulia.publishing import queries as publishing
from tertulia.publishing.models import Pillar, Promise, Slot
from tertulia.strategy.models import Audience, Campaign, Duty, Kpi, Objective, Plan, PlanChannel, PlannedAction
from tertulia.strategy.plans import Line
from tertulia.team.models import Membership
from tertulia.team.permissions import WHAT_FOR, Role
from tertulia.understanding import teaching, words

from . import plans

LATELY = timedelta(days=90)
MESSAGES = 2_000
"""The newest that are looked at: a page may wait for them."""
MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Offer:
    """`key` stays while what it says does; taken over it becomes a `line`, or its words go below the step's text."""

    key: str
    says: str
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """The newest value of a figure of an account."""

    key: str
    account: Account
    name: str
    value: int
    says: str

    def begin(self, kpi: Kpi) -> None:
        """Let an indicator begin with it."""
        kpi.name = _("{figure} of {account}").format(figure=self.name, account=self.account.name)[:200]
        kpi.source, kpi.baseline = self.account.name, self.value


def of(plan: Plan, step: str, *, at: datetime) -> list[Offer]:
    """What that step may take over, without what stands there already."""
    with translation.override(plan.brand.language):
        return list(_OFFERS[step](plan, at))


def known_figures(brand: Brand) -> list[Figure]:
    """Of each account what was counted last, as somebody typed it in or the network told it."""
    newest: dict[tuple[int, str], Metric] = {}
    for row in Metric.objects.filter(account__brand=brand).select_related("account").order_by("-on", "-pk")[:MESSAGES]:
        newest.setdefault((row.account_id, row.name), row)
    with translation.override(brand.language):
        return [
            Figure(
                f"{row.account_id}-{row.name}", row.account, called := figures.called(row.name), row.value,
                _("{account}: {figure} {value} ({day})").format(
                    account=row.account.name, figure=called.lower(), value=row.value,
                    day=date_format(row.on, "SHORT_DATE_FORMAT"),
                ),
            )
            for row in sorted(newest.values(), key=lambda row: (row.account.name, row.name))
        ]  # fmt: skip


def _situation(plan: Plan, at: datetime) -> Iterator[Offer]:
    lines = [(f"figure-{one.key}", one.says) for one in known_figures(plan.brand)]
    rows = _messages(plan.brand, at)
    lines += [("topics", _about(plan.brand, rows)), ("questions", _asked(plan.brand, rows))]
    since = at - 4 * LATELY
    for one in Campaign.objects.filter(brand=plan.brand, closed_at__gte=since).exclude(learned="").order_by("-pk")[:5]:
        lines.append((f"campaign-{one.pk}", f"{one.name}: {Truncator(one.learned).chars(300)}"))
    return _unsaid(lines, plan.situation)


def _messages(brand: Brand, at: datetime) -> list[topics.Row]:
    today = at.astimezone(ZoneInfo(brand.time_zone)).date()
    return topics.messages(brand, topics.Period(today - LATELY, today, brand.time_zone), most=MESSAGES)


def _about(brand: Brand, rows: Sequence[topics.Row]) -> str:
    known = {**teaching.own_topics(brand.pk), **words.topics()}
    counted = Counter(topic for row in rows for topic in row.topics).most_common(MOST_NAMED)
    said = ", ".join(f"{known[topic]} ({n})" for topic, n in counted if topic in known)
    return _("What people wrote about in the last 90 days: {topics}.").format(topics=said) if said else ""


def _asked(brand: Brand, rows: Sequence[topics.Row]) -> str:
    listed, answered = topics.questions(brand, rows)
    found = sorted([*listed, *answered], key=lambda one: -one.asked.people)[:MOST_NAMED]
    said = " ".join(_("“{text}” ({people}).").format(text=one.asked.text, people=one.asked.people) for one in found)
    return _("What they asked again and again: {questions}").format(questions=said) if said else ""


def _audience(plan: Plan, at: datetime) -> Iterator[Offer]:
    there = set(plan.audiences.values_list("name", flat=True))
    for one in _running(plan).exclude(audience=""):
        name = Truncator(" ".join(one.audience.split())).chars(120)
        if name not in there:
            there.add(name)
            about = one.audience if name != one.audience else ""
            yield Offer(f"campaign-{one.pk}", name, Audience(plan=plan, name=name, about=about[:5000]))


def _objectives(plan: Plan, at: datetime) -> Iterator[Offer]:
    there = set(plan.objectives.values_list("title", flat=True))
    for one in _running(plan).exclude(goal=""):
        title = Truncator(" ".join(one.goal.split())).chars(200)
        if title not in there:
            there.add(title)
            because = _("It is what the campaign {name} is for.").format(name=one.name)
            yield Offer(f"campaign-{one.pk}", title, Objective(plan=plan, title=title, because=because))


def _channels(plan: Plan, at: datetime) -> Iterator[Offer]:
    there, promised = set(plan.channels.values_list("account", flat=True)), _promised(plan.brand)
    for account in publishing.accounts(plan.brand):
        if account.pk not in there:
            per_week = promised[account.pk].per_week if account.pk in promised else None
            says = f"{account.name} · {plans.times(per_week)}" if per_week else account.name
            line = PlanChannel(plan=plan, account=account, name=account.name[:120], per_week=per_week)
            yield Offer(f"account-{account.pk}", says, line)


def _messages_step(plan: Plan, at: datetime) -> Iterator[Offer]:
    brand = plan.brand
    lines = []
    if brand.language == Brand.Language.SPANISH:
        lines.append(("treatment", _("We address people as {form}.").format(form=brand.get_treatment_display())))
    if own := list(OwnWord.objects.filter(brand=brand).order_by("name").values_list("name", flat=True)[:20]):
        lines.append(("own", _("Our own words: {words}.").format(words=", ".join(own))))
    if avoided := AvoidedWord.objects.filter(brand=brand).order_by("word")[:20]:
        said = ", ".join(f"{one.word} → {one.instead}" if one.instead else one.word for one in avoided)
        lines.append(("avoided", _("What we don't say: {words}.").format(words=said)))
    for pillar in Pillar.objects.filter(brand=brand).order_by("name")[:20]:
        lines.append((f"pillar-{pillar.pk}", f"{pillar.name}: {pillar.about}" if pillar.about else pillar.name))
    for one in _running(plan).exclude(messages=""):
        lines.append((f"campaign-{one.pk}", f"{one.name}: {Truncator(one.messages).chars(500)}"))
    lines.append(("questions", _asked(brand, _messages(brand, at))))
    return _unsaid(lines, plan.messages)


def _calendar(plan: Plan, at: datetime) -> Iterator[Offer]:
    some = list(plan.actions.all())
    titles, accounts = {one.title for one in some}, {one.account_id for one in some}
    promised = _promised(plan.brand)
    for channel in plan.channels.filter(account__isnull=False, per_week__isnull=False).select_related("account"):
        account = channel.account
        if account and channel.per_week and account.pk not in accounts:
            line = PlannedAction(
                plan=plan, title=_("Post on {account}").format(account=account.name)[:200], account=account,
                on=plan.starts_on, repeats=PlannedAction.Repeats.WEEKLY,
                weekdays=_weekdays(account, channel.per_week, promised.get(account.pk)),
            )  # fmt: skip
            yield Offer(f"channel-{channel.pk}", f"{line.title} · {planned.says(line)}", line)
    for one in _running(plan).filter(starts_on__gte=plan.starts_on, starts_on__lte=plan.ends_on):
        if one.name not in titles and one.starts_on:
            title = one.name
            line = PlannedAction(
                plan=plan, title=title, is_outside=True, on=one.starts_on, campaign=one, owner=one.owner
            )  # fmt: skip
            yield Offer(f"campaign-{one.pk}", f"{title} · {planned.says(line)}", line)
    title = _("Look at the plan's numbers")
    if title not in titles:
        on = min(plan.starts_on + timedelta(days=30), plan.ends_on)
        line = PlannedAction(
            plan=plan, title=title, is_outside=True, on=on, repeats=PlannedAction.Repeats.MONTHLY
        )  # fmt: skip
        yield Offer("look", f"{title} · {planned.says(line)}", line)


def _weekdays(account: Account, per_week: int, promise: Promise | None) -> list[int]:
    """Those promised, or of its slots, as many as it takes; else spread over the week."""
    slots = Slot.objects.filter(account=account).order_by("weekday").values_list("weekday", flat=True).distinct()
    known = sorted({*(promise.weekdays if promise else ()), *slots})
    if len(known) >= per_week:
        return known[:per_week]
    return sorted({n * 7 // min(per_week, 7) for n in range(min(per_week, 7))})


def _measuring(plan: Plan, at: datetime) -> Iterator[Offer]:
    lines = []
    for kpi in Kpi.objects.filter(objective__plan=plan).select_related("owner").order_by("pk"):
        said = _("{who} looks at “{name}” ({source}) on the first Monday of each month and writes it down.").format(
            who=kpi.owner or _("Somebody"), name=kpi.name, source=kpi.source
        )
        lines.append((f"kpi-{kpi.pk}", said))
    return _unsaid(lines, plan.measuring)


def _people(plan: Plan, at: datetime) -> Iterator[Offer]:
    there = set(plan.duties.values_list("user", flat=True))
    team = Membership.objects.of(plan.brand).filter(user__is_active=True).select_related("user")
    for one in team.exclude(user__in=there - {None}).order_by("user__name", "pk"):
        does = str(WHAT_FOR[Role(one.role)])
        yield Offer(
            f"member-{one.pk}", f"{one.user.name} · {does}", Duty(plan=plan, user=one.user, does=does)
        )  # fmt: skip


_OFFERS: Mapping[str, Callable[[Plan, datetime], Iterator[Offer]]] = {
    "situation": _situation, "audience": _audience, "objectives": _objectives, "channels": _channels,
    "messages": _messages_step, "calendar": _calendar, "measuring": _measuring, "people": _people,
}  # fmt: skip


def _running(plan: Plan) -> QuerySet[Campaign]:
    """Campaigns that go on in the plan's period, as far as they say when."""
    mine = Campaign.objects.filter(brand=plan.brand, closed_at__isnull=True).select_related("owner")
    in_time = Q(starts_on__isnull=True) | Q(starts_on__lte=plan.ends_on)
    return mine.filter(in_time, Q(ends_on__isnull=True) | Q(ends_on__gte=plan.starts_on)).order_by("starts_on", "pk")


def _promised(brand: Brand) -> Mapping[int, Promise]:
    return {one.pk: one for one in Promise.objects.filter(account__brand=brand)}


def _unsaid(lines: Sequence[tuple[str, str]], text: str) -> Iterator[Offer]:
    there = re.sub(r"\s+", " ", text)
    for key, said in lines:
        if said and re.sub(r"\s+", " ", said) not in there:
            yield Offer(key, said)
