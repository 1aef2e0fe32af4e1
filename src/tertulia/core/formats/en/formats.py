"""English as the rest of the desk writes it: the day first, and no month that could be taken for a day."""

DATE_FORMAT = "j F Y"
SHORT_DATE_FORMAT = "j M Y"
