"""The board of ideas: read it, and put something on it."""

from __future__ import annotations

from ninja import Query, Router, Status

from tertulia.core import clock
from tertulia.publishing import ideas
from tertulia.publishing.forms import IdeaForm
from tertulia.publishing.models import Idea

from .. import paging
from ..access import Call, door
from ..errors import invalid
from .shapes import IdeaBody, IdeaShape, ListParameters, Page

router = Router(tags=["Ideas"])


@router.get("/ideas", response=Page[IdeaShape], **door("ideas:read", "publishing.read"))
def list_ideas(request: Call, filters: Query[ListParameters]) -> Page[IdeaShape]:
    """The brand's ideas, the newest first, with the stage that each has reached."""
    rows, after = paging.newest(
        ideas.ideas(request.auth.brand), "created_at", after=filters.after, limit=filters.limit
    )  # fmt: skip
    return Page[IdeaShape](items=[_shape(card) for card in ideas.cards(rows)], next=after)


@router.post("/ideas", response={201: IdeaShape}, **door("ideas:write", "publishing.write"))
def add_idea(request: Call, body: IdeaBody) -> Status[IdeaShape]:
    """Put a new idea on the board. `url` is where it was found; owner and pillar are the brand's own."""
    brand, given = request.auth.brand, body.model_dump()
    form = IdeaForm({**given, "owner": given["owner_id"], "pillar": given["pillar_id"]}, brand=brand)
    if not form.is_valid():
        names = {"owner": "owner_id", "pillar": "pillar_id"}
        raise invalid({names.get(field, field): str(errors[0]) for field, errors in form.errors.items()})
    idea = ideas.add(
        brand=brand, source=Idea.Source.API, by=request.auth.user, at=clock.now(), **form.cleaned_data
    )  # fmt: skip
    return Status(201, _shape(ideas.card_of(idea)))


def _shape(card: ideas.Card) -> IdeaShape:
    idea = card.idea
    return IdeaShape(
        id=idea.pk, title=idea.title, brief=idea.brief, stage=card.column, because=idea.because, owner_id=idea.owner_id,
        format=idea.format, pillar_id=idea.pillar_id, pillar=idea.pillar.name if idea.pillar else "",
        due_on=idea.due_on, source=idea.source, url=idea.url, post_id=idea.post_id, created_at=idea.created_at,
    )  # fmt: skip
