"""The lists people choose from, by the codes the `holidays` library uses."""

from zoneinfo import available_timezones

from django.utils.translation import gettext_lazy as _

COUNTRIES = [
    ("ES", _("Spain")),
    ("AR", _("Argentina")),
    ("BO", _("Bolivia")),
    ("CL", _("Chile")),
    ("CO", _("Colombia")),
    ("CR", _("Costa Rica")),
    ("CU", _("Cuba")),
    ("DO", _("Dominican Republic")),
    ("EC", _("Ecuador")),
    ("SV", _("El Salvador")),
    ("GT", _("Guatemala")),
    ("HN", _("Honduras")),
    ("MX", _("Mexico")),
    ("NI", _("Nicaragua")),
    ("PA", _("Panama")),
    ("PY", _("Paraguay")),
    ("PE", _("Peru")),
    ("PR", _("Puerto Rico")),
    ("PT", _("Portugal")),
    ("UY", _("Uruguay")),
    ("US", _("United States")),
    ("VE", _("Venezuela")),
    ("GB", _("United Kingdom")),
    ("IE", _("Ireland")),
]

SPANISH_REGIONS = [
    ("AN", "Andalucía"),
    ("AR", "Aragón"),
    ("AS", "Asturias"),
    ("IB", "Illes Balears"),
    ("CN", "Canarias"),
    ("CB", "Cantabria"),
    ("CL", "Castilla y León"),
    ("CM", "Castilla-La Mancha"),
    ("CT", "Catalunya"),
    ("CE", "Ceuta"),
    ("VC", "Comunitat Valenciana"),
    ("EX", "Extremadura"),
    ("GA", "Galicia"),
    ("RI", "La Rioja"),
    ("MD", "Madrid"),
    ("ML", "Melilla"),
    ("MC", "Murcia"),
    ("NC", "Navarra"),
    ("PV", "Euskadi"),
]


def time_zones() -> list[tuple[str, str]]:
    """Every zone with a place in its name, as (zone, zone)."""
    places = (zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right")))
    return [(zone, zone.replace("_", " ")) for zone in sorted(places)]
