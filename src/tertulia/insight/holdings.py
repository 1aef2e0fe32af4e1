"""What this room holds of people (`core.personal`)."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.personal import named

from .models import DismissedQuestion

named(
    DismissedQuestion,
    _("Questions that want no saved reply"),
    "text",
    within=lambda p: DismissedQuestion.objects.filter(brand=p.brand),
)
