"""What this room holds of people (`core.personal`)."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.personal import named

from .models import Campaign

named(
    Campaign, _("Campaigns"), "name", "goal", "audience", "messages", "words", "learned", names=False,
    within=lambda p: Campaign.objects.filter(brand=p.brand),
)  # fmt: skip
