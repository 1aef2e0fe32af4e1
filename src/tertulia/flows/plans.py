"""A marketing plan from its steps to the calendar: what each step asks for, the plan as one document, and putting it to
work, which crosses `strategy` (what was agreed) and `publishing` (what stands on the calendar)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tertulia.core import jobs, pdf
from tertulia.core.pdf import Document, Section, Table
from tertulia.publishing import planned
from tertulia.publishing.planned import LaidOut
from tertulia.publishing.problems import Problem
from tertulia.strategy import actions as strategy
from tertulia.strategy import plans
from tertulia.strategy.models import Kpi, Objective, Plan, PlannedAction
from tertulia.team.models import User

from . import planning


@dataclass(frozen=True, slots=True)
class Step:
    """A page of the plan; `what` belongs there, and `example` shows it of a bakery."""

    key: str
    title: str | Promise
    what: str | Promise
    example: str | Promise


STEPS: Mapping[str, Step] = {
    one.key: one
    for one in (
        Step(
            "situation", gettext_lazy("Where you stand"),
            gettext_lazy(
                "What you have today: how many people follow you, what works and what doesn't, what others like you do."
                " A few honest lines are enough; at the end you will compare with them."
            ),
            gettext_lazy(
                "1,240 people follow us on Instagram and three or four write each day, nearly always about opening"
                " hours. Pictures of the oven do well, offers don't. The bakery of the next street publishes every day;"
                " we do when we remember."
            ),
        ),
        Step(
            "audience", gettext_lazy("Audience"),
            gettext_lazy(
                "Whom you want to reach: one line for each kind of people, with what they want and where you find them."
                " Two or three are better than “everybody”."
            ),
            gettext_lazy(
                "Families of the quarter, 30 to 50: they buy on Saturdays, look at Instagram in the evening and ask for"
                " bread that keeps."
            ),
        ),
        Step(
            "objectives", gettext_lazy("Objectives"),
            gettext_lazy(
                "What should be so at the end that isn't so now. Each objective needs an indicator: a number, where it"
                " comes from, what it is today, what it should be, by when, and who answers for it."
            ),
            gettext_lazy(
                "More orders for Christmas. Indicator: orders through the web shop, from the shop's list; 40 last"
                " December, 60 this one, by 31 December; Lucía answers for it."
            ),
        ),
        Step(
            "channels", gettext_lazy("Channels"),
            gettext_lazy(
                "Where you will be, what each place is for, and how often you publish there. Rather two that you keep"
                " up than five that you abandon."
            ),
            gettext_lazy(
                "Instagram, three times a week: what comes out of the oven. Newsletter, once a month: what can be"
                " ordered."
            ),
        ),
        Step(
            "messages", gettext_lazy("Messages"),
            gettext_lazy(
                "The three or four ideas that people should keep in mind, each in a sentence, and how you say them: the"
                " tone, the words that you use and those you don't."
            ),
            gettext_lazy(
                "We knead at night so that you have bread at seven. Without additives, and we tell you what is in it."
                " Tone: close, as at the counter; never “unique offer”."
            ),
        ),
        Step(
            "calendar", gettext_lazy("Calendar"),
            gettext_lazy(
                "What will be done, and when: on one day, or again and again. When the plan is put to work each of"
                " these comes to stand on the calendar, as a draft of a post or as an action outside of the networks."
            ),
            gettext_lazy(
                "Every Tuesday and Thursday on Instagram, “From the oven”: one bread and its story. On 5 January, in"
                " the shop: tasting of roscón; Bruno sees to it."
            ),
        ),
        Step(
            "measuring", gettext_lazy("Measuring"),
            gettext_lazy(
                "How you will know whether it works: who looks at the numbers, how often, and what you will do when one"
                " doesn't move. The indicators of your objectives stand below by themselves."
            ),
            gettext_lazy(
                "Lucía writes the numbers down on the first Monday of each month. If an indicator hasn't come half way"
                " by half time, we sit down together and change something."
            ),
        ),
        Step(
            "people", gettext_lazy("Who does what"),
            gettext_lazy(
                "Who writes, who takes pictures, who answers, who decides, who stands in. A task without a name is"
                " done by nobody."
            ),
            gettext_lazy("Bruno: pictures on Mondays, answers in the morning. Marta (agency): the newsletter."),
        ),
    )
}  # fmt: skip


@transaction.atomic
def put_to_work(*, plan: Plan, by: User, at: datetime) -> LaidOut:
    """Agree a plan as it stands, and put what isn't there yet on the calendar; again, after a change, for what is new.
    Of a long plan the rest follows in a job. Raises `Problem` with what is still missing; then nothing is done."""
    try:
        plan = plans.agree(plan=plan, by=by, at=at)
    except strategy.Problem as problem:
        raise Problem(str(problem)) from None
    done = planned.lay_out(plan=plan, by=by, at=at)
    if done.left:
        jobs.enqueue(planning.lay_out_plan, plan_id=plan.pk, by_id=by.pk)
    return done


# The plan as a whole.


def document(plan: Plan) -> Document:
    """All of it, in the brand's language; `core.pdf.made` prints it."""
    with translation.override(plan.brand.language):
        return Document(
            title=plan.name, subtitle=period(plan), author=plan.brand.name, language=plan.brand.language,
            contents=_("Contents"), sections=[section for _step, section in sections(plan)],
        )  # fmt: skip


def printed(plan: Plan, *, at: datetime) -> bytes:
    """As PDF. Raises `outcomes.BadPayload`."""
    return pdf.made(document(plan), at=at)


def period(plan: Plan) -> str:
    first, last = (date_format(on, "DATE_FORMAT") for on in (plan.starts_on, plan.ends_on))
    return _("From {first} to {last}").format(first=first, last=last)


def sections(plan: Plan) -> list[tuple[Step, Section]]:
    """Every step with what stands there, in order; one that is empty says so."""
    objectives = list(plan.objectives.prefetch_related("kpis__owner").order_by("pk"))
    said: dict[str, Sequence[str | Table]] = {
        "situation": [plan.situation],
        "audience": _audiences(plan),
        "objectives": [_objective(one) for one in objectives],
        "channels": _channels(plan),
        "messages": [plan.messages],
        "calendar": _calendar(plan),
        "measuring": [plan.measuring, *_indicators(objectives)],
        "people": _people(plan),
    }
    return [
        (step, Section(str(step.title), [block for block in said[key] if block] or [_("Nothing written yet.")]))
        for key, step in STEPS.items()
    ]


def _audiences(plan: Plan) -> Sequence[Table]:
    rows = [(one.name, one.about or "–") for one in plan.audiences.order_by("pk")]
    return [Table((_("Who they are"), _("What they want, and where they are")), rows)] if rows else []


def _objective(one: Objective) -> str:
    lines = [one.title, one.because, *(f"· {told(kpi)}" for kpi in one.kpis.all())]
    if not one.is_measurable:
        lines.append(_("Without an indicator it can't be part of what is agreed."))
    elif one.plan.at_work_at and one.agreed_at is None:
        lines.append(_("Added later, and not agreed yet."))
    return "\n".join(filter(None, lines))


def told(kpi: Kpi) -> str:
    """«Seguidores: de 1240 a 1500 antes del 31 de marzo de 2027 (Instagram). Responde Lucía.»"""
    said = _("{name}: from {baseline} to {target} by {day} ({source}).").format(
        name=kpi.name, baseline=number(kpi.baseline), target=number(kpi.target), source=kpi.source,
        day=date_format(kpi.due_on, "DATE_FORMAT"),
    )  # fmt: skip
    return " ".join([said, _("{name} answers for it.").format(name=kpi.owner)]) if kpi.owner else said


def number(value: Decimal) -> str:
    """Without zeros that say nothing: «1240», «4,5»."""
    plain = value.quantize(Decimal("0.01")).normalize()
    digits = max(0, -int(plain.as_tuple().exponent))
    return number_format(plain, digits, use_l10n=True)


def _channels(plan: Plan) -> Sequence[Table]:
    rows = [
        (one.name, one.purpose or "–", times(one.per_week))
        for one in plan.channels.order_by("pk")
    ]  # fmt: skip
    return [Table((_("Channel"), _("What it is for"), _("How often")), rows)] if rows else []


def times(per_week: int | None) -> str:
    return ngettext("{n} time a week", "{n} times a week", per_week).format(n=per_week) if per_week else "–"


def where(action: PlannedAction) -> str:
    if action.is_outside:
        return _("Outside of the networks")
    return action.account.name if action.account else _("An account that is gone")


def _calendar(plan: Plan) -> Sequence[Table]:
    some = plan.actions.select_related("plan__brand", "account", "owner").order_by("on", "pk")
    rows = [
        (planned.says(one), f"{one.title}\n{one.text}".strip(), where(one), str(one.owner or "–")) for one in some
    ]  # fmt: skip
    return [Table((_("When"), _("What"), _("Where"), _("Who sees to it")), rows)] if rows else []


def _indicators(objectives: Sequence[Objective]) -> Sequence[Table]:
    rows = [
        (
            kpi.name, kpi.source, number(kpi.baseline), number(kpi.target),
            date_format(kpi.due_on, "SHORT_DATE_FORMAT"), str(kpi.owner or "–"),
        )
        for one in objectives for kpi in one.kpis.all()
    ]  # fmt: skip
    head = (_("Indicator"), _("Source"), _("Today"), _("Target"), _("By when"), _("Who answers"))
    return [Table(head, rows)] if rows else []


def _people(plan: Plan) -> Sequence[Table]:
    rows = [(str(one), one.does) for one in plan.duties.select_related("user").order_by("pk")]
    return [Table((_("Who"), _("Does what")), rows)] if rows else []
