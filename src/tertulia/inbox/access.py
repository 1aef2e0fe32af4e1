"""What the pages of the inbox are asked with."""

from django_htmx.middleware import HtmxDetails

from tertulia.team.access import BrandRequest
from tertulia.team.models import User


class DeskRequest(BrandRequest):
    """A request that has passed `brand_required`: somebody is signed in, and htmx says what it wants."""

    user: User
    htmx: HtmxDetails
