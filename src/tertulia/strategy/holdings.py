"""What this room holds of people (`core.personal`)."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.personal import named

from .models import Audience, Campaign, Duty, Kpi, Objective, Plan, PlanChannel, PlannedAction

named(
    Campaign, _("Campaigns"), "name", "goal", "audience", "messages", "words", "learned", names=False,
    within=lambda p: Campaign.objects.filter(brand=p.brand),
)  # fmt: skip
named(
    Plan, _("Plans"), "name", "situation", "messages", "measuring", names=False,
    within=lambda p: Plan.objects.filter(brand=p.brand),
)  # fmt: skip
named(
    Audience, _("Audiences of plans"), "name", "about", names=False,
    within=lambda p: Audience.objects.filter(plan__brand=p.brand),
)  # fmt: skip
named(
    Objective, _("Objectives of plans"), "title", "because", names=False,
    within=lambda p: Objective.objects.filter(plan__brand=p.brand),
)  # fmt: skip
named(
    Kpi, _("Indicators of plans"), "name", "source", names=False,
    within=lambda p: Kpi.objects.filter(objective__plan__brand=p.brand),
)  # fmt: skip
named(
    PlanChannel, _("Channels of plans"), "name", "purpose", names=False,
    within=lambda p: PlanChannel.objects.filter(plan__brand=p.brand),
)  # fmt: skip
named(
    PlannedAction, _("Planned actions"), "title", "text", names=False,
    within=lambda p: PlannedAction.objects.filter(plan__brand=p.brand),
)  # fmt: skip
named(
    Duty, _("Who does what in plans"), "name", "does", names=False,
    within=lambda p: Duty.objects.filter(plan__brand=p.brand),
)  # fmt: skip
