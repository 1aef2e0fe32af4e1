"""What people say of a brand and do not want quoted any more: whoever planned to quote them is told.

That it does not leave is not for this to see to: publishing asks once more right before it would (`publishing.rights`).
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from tertulia.brand.models import Brand
from tertulia.channels.models import Delivery
from tertulia.community import activities, testimonials
from tertulia.community.models import Testimonial, TestimonialUse
from tertulia.core import activity, clock, jobs
from tertulia.publishing import activities as publishing
from tertulia.publishing import queries as posts

_S = Delivery.State
STILL_TO_LEAVE = [_S.QUEUED, _S.WAITING, _S.BY_HAND, _S.MISSED, _S.REFUSED]


@jobs.periodic("testimonials.ended", seconds=60)
def tick() -> None:
    tell_ended(at=clock.now())


def tell_ended(*, at: datetime) -> int:
    """Say once of each testimonial that is in use and may not be quoted any more: that it is so, and of each post that
    is still to leave with it. Returns how many there were."""
    in_use = Testimonial.objects.filter(
        Exists(TestimonialUse.objects.filter(testimonial=OuterRef("pk"))), ended_at__isnull=True
    )
    told = 0
    for brand in Brand.objects.filter(pk__in=in_use.values("brand")).order_by("pk"):
        ended = testimonials.forbidden(brand.pk, testimonials.today(brand, at))
        told += sum(_tell(one, at=at) for one in ended.filter(pk__in=in_use.values("pk")))
    return told


@transaction.atomic
def _tell(one: Testimonial, *, at: datetime) -> bool:
    """False where somebody has told it meanwhile."""
    if not Testimonial.objects.filter(pk=one.pk, ended_at__isnull=True).update(ended_at=at):
        return False
    activity.record(activities.TESTIMONIAL_ENDED, on=one, brand=one.brand_id, at=at, author=one.created_by_id)
    waiting = posts.quoting([one]).filter(versions__sendings__remote__deliveries__state__in=STILL_TO_LEAVE)
    for post in waiting.distinct():
        author = post.scheduled_by_id or post.created_by_id
        activity.record(publishing.QUOTE_ENDED, on=post, brand=one.brand_id, at=at, title=post.title, author=author)
    return True
