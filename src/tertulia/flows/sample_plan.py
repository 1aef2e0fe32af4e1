"""The sample company's plan for the quarter to come: whole, and not put to work yet, so that whoever tries the desk can
press the button."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels import figures
from tertulia.channels.models import Account
from tertulia.strategy import plans
from tertulia.strategy.models import Audience, Kpi, Objective, PlanChannel, PlannedAction
from tertulia.team.models import User

from . import plan_offers
from .plans import STEPS

FOLLOWERS = 1_240
WRITTEN = timedelta(days=2)


def write(brand: Brand, people: Mapping[str, User], *, at: datetime) -> None:
    """Write it as Lucía would have; what the desk knows she has taken over."""
    lucia, written = people["Lucía"], at - WRITTEN
    instagram = Account.objects.get(brand=brand, kind="manual", name="Instagram")
    today = at.astimezone(ZoneInfo(brand.time_zone)).date()
    figures.keep(account=instagram, on=today - WRITTEN, values={"followers": FOLLOWERS}, at=written, by=lucia.pk)
    first = _next_month(today)
    last = _next_month(_next_month(_next_month(first))) - timedelta(days=1)
    with translation.override(brand.language):
        plan = plans.begin(
            brand=brand, by=lucia, at=written, name=_("The next three months"), starts_on=first, ends_on=last,
            **{step: str(STEPS[step].example) for step in ("situation", "messages", "measuring")},
        )  # fmt: skip
        objective = Objective(plan=plan, title=_("Be known by more people of the quarter"))
        lines: list[plans.Line] = [
            Audience(
                plan=plan, name=_("Families of the quarter"),
                about=_("They buy on Saturdays and want bread that keeps."),
            ),
            objective,
            PlannedAction(
                plan=plan, title=_("From the oven"), text=_("One bread and its story:"), account=instagram, on=first,
                repeats=PlannedAction.Repeats.WEEKLY, weekdays=[1, 3], owner=lucia,
            ),
            PlannedAction(
                plan=plan, title=_("Tasting in the shop"), is_outside=True, on=first + timedelta(days=18), owner=lucia
            ),
        ]  # fmt: skip
        for line in lines:
            plans.keep(line=line, by=lucia, at=written)
        kpi = Kpi(objective=objective, target=FOLLOWERS + 260, due_on=last, owner=lucia)
        next(one for one in plan_offers.known_figures(brand) if one.account == instagram).begin(kpi)
        plans.keep(line=kpi, by=lucia, at=written)
    for step in ("channels", "people"):
        for offer in plan_offers.of(plan, step, at=at):
            if offer.line:
                if isinstance(offer.line, PlanChannel) and offer.line.account == instagram:
                    with translation.override(brand.language):
                        offer.line.purpose = _("What comes out of the oven.")
                plans.keep(line=offer.line, by=lucia, at=written)


def _next_month(on: date) -> date:
    return (on.replace(day=1) + timedelta(days=32)).replace(day=1)
