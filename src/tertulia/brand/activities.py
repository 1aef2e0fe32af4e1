"""What the feed can tell about a brand."""

from django.utils.translation import gettext_lazy as _

from tertulia.core import activity

CREATED = activity.declare("brand.created", _("{who} created the brand {title}"))
CHANGED = activity.declare("brand.changed", _("{who} changed the settings of the brand"))
HOURS_CHANGED = activity.declare("brand.hours_changed", _("{who} changed the opening hours"))
HOLIDAY_ADDED = activity.declare("brand.holiday_added", _("{who} closed the desk on {on_day}: {title}"))
HOLIDAY_REMOVED = activity.declare("brand.holiday_removed", _("{who} opened the desk on {on_day} again"))
WORDS_CHANGED = activity.declare("brand.words_changed", _("{who} changed the brand's own words"))
AVOIDED_CHANGED = activity.declare("brand.avoided_changed", _("{who} changed the words the brand avoids"))
