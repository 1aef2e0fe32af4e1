"""What is done to what is counted: questions that need no saved reply."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tertulia.brand.models import Brand
from tertulia.core import activity

from . import activities
from .models import DismissedQuestion


@transaction.atomic
def dismiss_question(*, brand: Brand, text: str, language: str, by: int, at: datetime) -> DismissedQuestion:
    """Let a question, and what means the same, no longer be listed as asked without a saved reply."""
    question, is_new = DismissedQuestion.objects.get_or_create(
        brand=brand, text=text, defaults={"language": language, "by_id": by, "at": at}
    )
    if is_new:
        activity.record(activities.DISMISSED, on=question, brand=brand.pk, by=by, at=at)
    return question


@transaction.atomic
def restore_question(*, question: DismissedQuestion, by: int, at: datetime) -> None:
    activity.record(activities.RESTORED, on=question, brand=question.brand_id, by=by, at=at)
    question.delete()
