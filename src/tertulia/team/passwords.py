"""What no password may be made of: the words that whoever guesses here tries first."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.core.folding import fold

OF_THE_TRADE = ("tertulia", "community", "manager", "comunidad", "gestor", "password", "contrasena")
SHORTEST = 4
"""A shorter word of a brand's name stands in too many others."""
LEFT = 6
"""So many letters and digits have to be left without them: "horno-candela-2026" has four."""


class OwnWords:
    """As Django's own checks of passwords."""

    def validate(self, password: str, user: object = None) -> None:
        left = fold(password).replace(" ", "")
        found = [word for word in words() if word in left]
        for word in found:
            left = left.replace(word, "")
        if found and len(re.sub(r"[\W_]", "", left)) < LEFT:
            says = _("It is made of words that anybody here would try: {words}. Take others.")
            raise ValidationError(says.format(words=", ".join(found)), code="password_of_own_words")

    def get_help_text(self) -> str:
        return _("Not the name of your brand or of this desk.")


def words() -> list[str]:
    """The longest first: of the trade, of this desk's address, and of its brands' names."""
    said = [*OF_THE_TRADE, *re.split(r"[.-]", urlsplit(settings.PUBLIC_URL).hostname or "")]
    for name, slug in Brand.objects.values_list("name", "slug"):
        said += [*fold(name).split(), fold(name).replace(" ", ""), slug.replace("-", "")]
    return sorted({word for word in map(fold, said) if len(word) >= SHORTEST}, key=lambda word: (-len(word), word))
