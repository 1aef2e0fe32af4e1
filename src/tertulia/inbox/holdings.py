"""What this room holds of people (`core.personal`)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tertulia.channels import erasures
from tertulia.channels.models import Identity, Message
from tertulia.core.personal import Person, blanked, deleted, held, named, none

from .models import (
    Assignment,
    AutomaticAnswer,
    AutomaticReply,
    Conversation,
    ConversationLabel,
    Draft,
    Label,
    Mention,
    Note,
    Presence,
    Promise,
    PromiseOutcome,
    Read,
    Rereading,
    Rule,
    RuleAct,
    SavedReply,
    SavedView,
)


def _erase_conversations(rows: QuerySet[Conversation], person: Person) -> None:
    """What it was about is gone; when it was, who had it and how it ended stays."""
    for row in rows.select_related("account").defer("account__secrets"):
        if not Message.objects.filter(account=row.account_id, thread_id=row.thread_id).exists():
            row.thread_id = erasures.stand_in(row.account, row.thread_id)  # its messages are called so by now
        row.member_name = row.subject = row.preview = row.language = ""
        row.because, row.has_trouble = {}, False
        row.save()


def _automatic(person: Person) -> QuerySet[AutomaticAnswer]:
    known = Identity.objects.filter(pk__in=person.identities).values_list("remote_id", "email")
    addresses = {each.lower() for pair in known for each in pair if each}
    return AutomaticAnswer.objects.filter(account__brand=person.brand, address__in=addresses)


held(
    Conversation, _("Conversations"), rows=lambda p: Conversation.objects.filter(pk__in=p.conversations),
    erase=_erase_conversations,
)  # fmt: skip
held(
    Note,
    _("Notes of the team"),
    erase=blanked(text=""),
    rows=lambda p: Note.objects.filter(conversation__in=p.conversations),
)
held(
    Draft,
    _("Answers that were begun"),
    erase=deleted,
    rows=lambda p: Draft.objects.filter(conversation__in=p.conversations),
)
held(AutomaticAnswer, _("That a machine answered them"), rows=_automatic, erase=deleted)
held(
    RuleAct,
    _("What rules did with their messages"),
    erase=blanked(did=[]),
    rows=lambda p: RuleAct.objects.filter(message__in=p.messages),
)
named(
    Conversation,
    _("Conversations of others"),
    "subject",
    "preview",
    "member_name",
    within=lambda p: Conversation.objects.filter(brand=p.brand).exclude(pk__in=p.conversations),
)
named(
    Note,
    _("Notes on other conversations"),
    "text",
    within=lambda p: Note.objects.filter(conversation__brand=p.brand).exclude(conversation__in=p.conversations),
)
named(Draft, _("Answers to others that were begun"), "text", within=lambda p: Draft.objects.filter(
    conversation__brand=p.brand))  # fmt: skip
named(SavedReply, _("Saved replies"), "title", "text", names=False, within=lambda p: SavedReply.objects.filter(
    brand=p.brand))  # fmt: skip
named(SavedView, _("Saved views"), "name", "filters", within=lambda p: SavedView.objects.filter(brand=p.brand))
named(Rule, _("Rules"), "name", "conditions", "acts", names=False, within=lambda p: Rule.objects.filter(brand=p.brand))
named(
    AutomaticReply,
    _("Automatic replies"),
    "texts",
    names=False,
    within=lambda p: AutomaticReply.objects.filter(account__brand=p.brand),
)
named(Label, _("Labels"), "name", "words", names=False, within=lambda p: Label.objects.filter(brand=p.brand))
none("Who of the team has, read or looks at what.", Assignment, Mention, Presence, Read)
none("Which label stands where: the label's name is the brand's.", ConversationLabel)
none("Times and places, no people.", Promise, PromiseOutcome, Rereading)
