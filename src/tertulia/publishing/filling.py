"""What could fill a hole in the promised rhythm where no draft waits: a text that doesn't age, else a chosen idea."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from tertulia.brand.models import Brand

from . import evergreen, ideas
from .models import Version
from .rhythm import Ahead


def fill(ahead: Ahead, brand: Brand, *, at: datetime) -> None:
    """Propose something for each hole that nothing is proposed for yet: of what is published on its account and may be
    repeated on its day what has rested longest, then the idea that is wanted first. Nothing twice."""
    holes = sum(one.draft is None for one in ahead.proposals)
    if not holes:
        return
    pool, accounts = evergreen.pool(brand), defaultdict(set)
    models = [one.evergreen.model_id for one in pool]
    for model, account in Version.objects.filter(post__in=models).values_list("post", "account"):
        accounts[model].add(account)
    to_write = ideas.to_write(brand, holes, now=at)
    found = []
    for one in ahead.proposals:
        if one.draft is None:
            account, on = one.hole.account.pk, one.hole.on
            fits = (each for each in pool if account in accounts[each.evergreen.model_id] and not each.why_not(on))
            if rested := next(fits, None):
                pool.remove(rested)
                one = replace(one, repeated=rested.evergreen)
            elif to_write:
                one = replace(one, idea=to_write.pop(0))
        found.append(one)
    ahead.proposals = found
