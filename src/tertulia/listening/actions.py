"""What a person does with an article. It is theirs alone: nobody else sees it, and no feed of the house tells it."""

from __future__ import annotations

from datetime import datetime

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.team.models import User

from .models import CatchUp, Mark


def mark_read(*, article: Message, by: User, at: datetime) -> None:
    """The first time counts."""
    mark, is_new = Mark.objects.get_or_create(user=by, message=article, defaults={"read_at": at})
    if not is_new and mark.read_at is None:
        Mark.objects.filter(pk=mark.pk).update(read_at=at)


def star(*, article: Message, by: User, at: datetime) -> None:
    Mark.objects.update_or_create(user=by, message=article, defaults={"starred_at": at})


def unstar(*, article: Message, by: User) -> None:
    Mark.objects.filter(user=by, message=article).update(starred_at=None)


def catch_up(*, brand: Brand, by: User, at: datetime) -> None:
    """Everything that is here by now counts as read."""
    CatchUp.objects.update_or_create(user=by, brand=brand, defaults={"up_to": at})
