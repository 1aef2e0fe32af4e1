"""What this room holds of people (`core.personal`)."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.personal import named, none

from .models import AvoidedWord, Brand, Holiday, OpeningHours, OwnWord

named(
    OwnWord, _("The brand's own words"), "name", "folded", "spellings", names=False,
    within=lambda p: OwnWord.objects.filter(brand=p.brand),
)  # fmt: skip
named(
    AvoidedWord, _("Words the brand avoids"), "word", "folded", "instead", names=False, drops=True,
    within=lambda p: AvoidedWord.objects.filter(brand=p.brand),
)  # fmt: skip
none("The company itself, not who writes to it.", Brand, OpeningHours, Holiday)
