"""The sample company: Horno Candela, a bakery in Madrid, with its people and three weeks of its inbox.

What was written stands in `sample_company/<language>.txt`. A paragraph is a conversation: its first line names channel
(with the language where it isn't the brand's), person, address or number, and when: so many working days ago at an
hour, or so many minutes ago. Then come lines, each so many minutes after the one before:

    > what the person wrote
    +14 Mateo: an answer          +9 >: what the person wrote next
    +6 Lucía notes: a note        +1 Nerea labels: a label
    +2 Mateo closes: a reason     +1 Iker snoozes: 20h      (from now on)

`{te|le}` is what a brand says that calls people *tú*, and one that calls them *usted*.

Everything goes through the ordinary doors, at the time it tells of; nothing calls a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

from django.db import transaction
from django.utils.text import slugify

from tertulia.brand import actions as brand_actions
from tertulia.brand import hours
from tertulia.brand.models import Brand, Holiday
from tertulia.channels import actions as channel_actions
from tertulia.channels.models import Account, Delivery, Message
from tertulia.community import actions as community
from tertulia.community.models import Member, Testimonial
from tertulia.community.testimonials import today
from tertulia.connectors.contract import Author, Envelope, Target
from tertulia.core.models import Activity
from tertulia.inbox import actions, promises, routing
from tertulia.inbox.models import Conversation, Label, SavedReply, SavedView
from tertulia.publishing import ideas, sharing
from tertulia.publishing.models import Idea, Pillar
from tertulia.team.models import Absence, Membership, Notification, Shift, Skill, User
from tertulia.team.permissions import Role

from . import inbound, notify, sample_campaign, sample_plan, sample_posts
from .phone import note_call
from .sample_company.people import COLLEAGUES, SATURDAY, SHOP_WEEK, WORDS, Colleague, Notion, Praise, Words

FOLDER = Path(__file__).with_name("sample_company")
NIGHT = timedelta(hours=14)


class AlreadyFilled(Exception):
    """The brand has conversations: the sample would mix with what really happened."""


@transaction.atomic
def fill(brand: Brand, *, at: datetime, by: User | None = None) -> None:
    """Let the brand look as if Horno Candela had worked with it for three weeks, the last message minutes ago.

    The same at any moment: what is told is counted from `at`. Raises `AlreadyFilled`.
    """
    brand = Brand.objects.select_for_update().get(pk=brand.pk)
    if Conversation.objects.filter(brand=brand).exists():
        raise AlreadyFilled
    brand.is_sample = True
    brand.save(update_fields=["is_sample"])
    _furnish(brand, WORDS[brand.language], at=at, by=by)
    company = _Company(brand, at)
    with _before_they_came(brand) as come:
        for moment, talk, line in _in_order(talks(brand.language, is_formal=_is_formal(brand)), hours.of(brand), at):
            if talk.is_todays:
                come()
            company.play(talk, line, moment)
    company.think(at=at)
    company.gather(at=at)
    company.welcome(by, at=at)
    campaign = sample_campaign.begin(brand, company.people, at=at)
    sample_posts.publish(
        brand, _told(f"posts_{brand.language}", is_formal=_is_formal(brand)), company.people, site=company.site,
        campaign=campaign, at=at,
    )  # fmt: skip
    sample_campaign.measure(brand, campaign, company.people, at=at)
    sample_campaign.repeat(brand, company.people, at=at)
    sample_plan.write(brand, company.people, at=at)
    _tell_the_news(brand, at=at)


def _tell_the_news(brand: Brand, *, at: datetime) -> None:
    """Everybody finds what is new this morning: what was answered since, or is older than a night, they have seen."""
    lines = Activity.objects.filter(brand_id=brand.pk)
    notify.tell_now(lines.values_list("pk", flat=True))
    moments = dict(lines.values_list("pk", "at"))
    waiting = set(Conversation.objects.filter(brand=brand, waiting_since__isnull=False).values_list("pk", flat=True))
    routed = dict(lines.filter(type="conversation.routed").values_list("pk", "on_id"))
    told = list(Notification.objects.filter(brand=brand))
    for one in told:
        one.created_at = moments[one.activity_id]
        is_old = one.created_at < at - NIGHT or one.reason == "settings"  # its channels were there all along
        if is_old or (one.activity_id in routed and routed[one.activity_id] not in waiting):
            one.read_at = one.created_at
    Notification.objects.bulk_update(told, ["created_at", "read_at"], batch_size=500)


def _is_formal(brand: Brand) -> bool:
    return brand.treatment == Brand.Treatment.FORMAL


@contextmanager
def _before_they_came(brand: Brand) -> Iterator[Callable[[], None]]:
    """The real people of the brand were not there when it happened: nothing was given to them until they `come`."""
    real = list(Membership.objects.filter(brand=brand).exclude(pk__in=[each.pk for each in _colleagues(brand)]))
    Membership.objects.filter(pk__in=[each.pk for each in real]).update(capacity=0, is_fallback=False)

    def come() -> None:
        while real:
            real.pop().save(update_fields=["capacity", "is_fallback"])

    yield come
    come()


# What was said


Deed = Literal["says", "answers", "notes", "labels", "closes", "snoozes"]


@dataclass(frozen=True, slots=True)
class Line:
    """`after` minutes after the line before, `who` (nobody: the customer) did this."""

    after: int
    who: str
    deed: Deed
    text: str


@dataclass(slots=True)
class Talk:
    """One conversation: `began` is a number of working days and an hour, or of minutes before now."""

    channel: str
    language: str
    person: str
    address: str
    began: str
    lines: list[Line] = field(default_factory=list)

    @property
    def key(self) -> str:
        return slugify(self.person)

    @property
    def is_todays(self) -> bool:
        return self.began.startswith("-")

    @property
    def colleague(self) -> str:
        """Who answers it first."""
        return next((line.who for line in self.lines if line.deed == "answers"), "")


_EITHER = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")
_HEAD = re.compile(r"\[(\w+)(?::(\w+))?\] ([^|]+) \|([^|]*)\| (.+)")
_FIRST = re.compile(r"> (?P<text>.+)")
_LINE = re.compile(r"\+(?P<after>\d+) (?P<who>\w+|>)( (?P<deed>\w+))?: (?P<text>.+)")


def talks(language: str, *, is_formal: bool = False) -> list[Talk]:
    """The conversations of the sample company, `es` or `en`, as they stand in the file."""
    found: list[Talk] = []
    for line in _told(language, is_formal=is_formal).splitlines():
        if head := _HEAD.fullmatch(line):
            channel, language, person, address, began = ((part or "").strip() for part in head.groups())
            found.append(Talk(channel, language, person, address, began))
        elif line and not line.startswith("#"):
            found[-1].lines.append(_line(line))
    return found


def _told(name: str, *, is_formal: bool) -> str:
    return _addressed((FOLDER / f"{name}.txt").read_text(encoding="utf-8"), is_formal=is_formal)


def _addressed(text: str, *, is_formal: bool) -> str:
    return _EITHER.sub(r"\2" if is_formal else r"\1", text)


def _line(line: str) -> Line:
    if first := _FIRST.fullmatch(line):
        return Line(0, "", "says", first["text"])
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"not a line of a sample conversation: {line}")
    who = "" if match["who"] == ">" else match["who"]
    deed = match["deed"] or ("answers" if who else "says")
    return Line(int(match["after"]), who, deed, match["text"])  # type: ignore[arg-type]


def _in_order(told: Sequence[Talk], open_hours: hours.Hours, at: datetime) -> Iterator[tuple[datetime, Talk, Line]]:
    """Every line with its moment, as they would have happened one after the other."""
    moments = [
        (moment, number, talk, line) for number, talk in enumerate(told) for moment, line in _when(talk, open_hours, at)
    ]
    for moment, _number, talk, line in sorted(moments, key=lambda each: each[:2]):
        yield moment, talk, line


def _when(talk: Talk, open_hours: hours.Hours, at: datetime) -> Iterator[tuple[datetime, Line]]:
    moment = at + timedelta(minutes=int(talk.began)) if talk.is_todays else _days_ago(talk.began, open_hours, at)
    while talk.channel != "site" and not talk.is_todays and not open_hours.is_open(moment):
        moment -= timedelta(hours=1)  # nobody comes or calls when the shop is closed
    for line in talk.lines:
        moment += timedelta(minutes=line.after)
        if line.who and not talk.is_todays and not open_hours.is_open(moment):
            moment = (open_hours.next_opening(moment) or moment) + timedelta(minutes=3 + line.after % 23)
        if moment <= at:
            yield moment, line


def _days_ago(began: str, open_hours: hours.Hours, at: datetime) -> datetime:
    days, hour = began.split()
    day = at.astimezone(open_hours.zone).date()
    for _ in range(int(days)):
        day = _working_day_before(day, open_hours)
    return datetime.combine(day, time.fromisoformat(hour), tzinfo=open_hours.zone)


def _working_day_before(day: date, open_hours: hours.Hours) -> date:
    for back in range(1, 30):
        before = day - timedelta(days=back)
        morning = datetime.combine(before, time(), tzinfo=open_hours.zone)
        if open_hours.between(morning, morning + timedelta(days=1)):
            return before
    return day - timedelta(days=1)


class _Company:
    """Plays the lines: each is the action that a customer or a colleague would have taken."""

    def __init__(self, brand: Brand, at: datetime) -> None:
        self.brand, self.at = brand, at
        self.site, self.phone = _account(brand, "site", at), _account(brand, "phone", at)
        self.people = {each.user.name.split()[0]: each.user for each in _colleagues(brand)}
        self.labels = {label.name: label for label in Label.objects.filter(brand=brand)}
        self.conversations: dict[tuple[str, str], int] = {}
        self.members: dict[str, Member] = {}

    def play(self, talk: Talk, line: Line, moment: datetime) -> None:
        getattr(self, f"_{line.deed}")(talk, line, moment)

    def welcome(self, newcomer: User | None, *, at: datetime) -> None:
        """Something to begin with, for whoever had the company made: a colleague hands them a conversation."""
        real = Membership.objects.filter(brand=self.brand, role=Role.MANAGER).exclude(user__in=self.people.values())
        member = real.filter(user=newcomer).first() or real.order_by("pk").first()
        talk = self.conversations.get(("site", "cristina-maldonado"))
        if member is None or talk is None:
            return
        conversation, lucia = Conversation.objects.get(pk=talk), self.people["Lucía"]
        text = WORDS[self.brand.language].welcome.format(name=member.user.name)
        actions.assign(conversation=conversation, to=member.user, by=lucia, at=at)
        actions.add_note(conversation=conversation, text=text, by=lucia, at=at)

    def think(self, *, at: datetime) -> None:
        """What they mean to publish."""
        words, lucia = WORDS[self.brand.language], self.people["Lucía"]
        for name, about, hue in words.pillars:
            if not Pillar.objects.filter(brand=self.brand, name=name).exists():
                pillar = Pillar(brand=self.brand, name=name, about=about, hue=hue)
                ideas.keep_pillar(pillar=pillar, by=lucia, at=at - timedelta(days=20))
        for one in sorted(words.ideas, key=lambda each: -each.age):
            self._note_down(one, at - timedelta(days=one.age), by=self.people.get(one.owner, lucia))
        self._share(*words.shared, by=lucia, at=at - timedelta(days=1))

    def _share(self, text: str, question: str, *, by: User, at: datetime) -> None:
        """What a customer has written of them elsewhere waits for her yes."""
        theirs = Conversation.objects.filter(pk=self.conversations.get(("site", "miriam-ferrando"), 0))
        mine = Message.objects.filter(account=self.site, thread_id__in=theirs.values("thread_id"))
        share, _post = sharing.begin(
            brand=self.brand, name="Miriam Ferrando", url="https://desayunos.example/horno", text=text,
            message=mine.order_by("sent_at", "id").first(), by=by, at=at,
        )  # fmt: skip
        sharing.note_question(
            share=share, question=question, asked_at=at, asked_on=self.site.name, by=by, at=at + timedelta(minutes=5)
        )

    def gather(self, *, at: datetime) -> None:
        """What people say of them, and whether it may be quoted."""
        for number, one in enumerate(WORDS[self.brand.language].praise, 1):
            self._keep(one, number, at)

    def _keep(self, one: Praise, number: int, at: datetime) -> None:
        asked, public, own = WORDS[self.brand.language].agreed
        talk = Conversation.objects.filter(pk=self.conversations.get(("site", one.of), 0)).first()
        lucia, said_at = self.people["Lucía"], talk.created_at if talk else at - timedelta(days=one.age)
        kept = Testimonial(
            brand=self.brand, text=one.text, said_by=one.who, stars=one.stars or None,
            member=talk.member if talk else None,
            said_on=today(self.brand, said_at), created_by_id=lucia.pk, created_at=said_at,
            language=self.brand.language,
        )  # fmt: skip
        state, wording = Testimonial.State.UNNEEDED, own
        if talk:
            mine = Message.objects.filter(account=talk.account_id, thread_id=talk.thread_id)
            kept.message = mine.order_by("sent_at", "id").first()
            state, wording = (Testimonial.State.GIVEN, asked) if one.has_agreed else (Testimonial.State.ASKED, "")
        elif one.stars:
            kept.kind, kept.source, wording = Testimonial.Kind.REVIEW, f"https://resenas.example/{number}", public
        else:
            kept.kind = Testimonial.Kind.FIGURE
        community.keep_testimonial(testimonial=kept, by=lucia, at=said_at)
        community.settle_consent(
            testimonial=kept, consent=state, on=kept.said_on, wording=wording, until=None, by=lucia, at=said_at
        )

    def _note_down(self, one: Notion, moment: datetime, *, by: User) -> None:
        theirs = Conversation.objects.filter(pk=self.conversations.get(("site", one.of), 0))
        mine = Message.objects.filter(account=self.site, thread_id__in=theirs.values("thread_id"))
        message = mine.order_by("sent_at", "id").first()
        idea = ideas.add(
            brand=self.brand, title=one.title, brief=one.brief, owner=self.people.get(one.owner), format=one.format,
            pillar=Pillar.objects.get(brand=self.brand, name=one.pillar), message=message,
            source=Idea.Source.MESSAGE if message else Idea.Source.HAND,
            due_on=(self.at + timedelta(days=one.due)).date() if one.due is not None else None, by=by, at=moment,
        )  # fmt: skip
        later = moment + timedelta(hours=1)
        if one.to == "post":
            ideas.write(idea=idea, by=by, at=later)
        elif one.to != Idea.State.NEW:
            ideas.put(idea=idea, to=one.to, because=one.because, by=by, at=later)

    def _says(self, talk: Talk, line: Line, moment: datetime) -> None:
        says = self._writes if talk.channel == "site" else self._calls
        conversation = says(talk, line, moment)
        self.conversations[talk.channel, talk.key] = conversation.pk
        self.members[talk.key] = conversation.member
        inbound.label_by_words(conversation, at=moment)
        if conversation.owner_id is None:
            routing.route(self._conversation(talk), at=moment)

    def _writes(self, talk: Talk, line: Line, moment: datetime) -> Conversation:
        visitor = f"sample-{talk.key}"
        author = Author(visitor, name=talk.person, email=talk.address, language=talk.language or self.brand.language)
        number = talk.lines.index(line)
        envelope = Envelope(f"{visitor}:{talk.began}:{number}", visitor, moment, author, kind="chat", text=line.text)
        [pk] = inbound.intake(self.site, [envelope], at=moment)
        return Conversation.objects.select_related("brand", "member").get(pk=pk)

    def _calls(self, talk: Talk, line: Line, moment: datetime) -> Conversation:
        return note_call(
            brand=self.brand,
            account=self.phone,
            by=self.people[talk.colleague or "Nerea"],
            at=moment,
            kind="visit" if talk.channel == "visit" else "call",
            direction="in",
            name=talk.person,
            phone=talk.address,
            email="",
            member=self.members.get(talk.key),
            text=line.text,
            happened_at=moment,
            key=f"sample-{talk.key}-{talk.began}",
        )

    def _answers(self, talk: Talk, line: Line, moment: datetime) -> None:
        conversation, by = self._conversation(talk), self.people[line.who]
        if conversation.owner_id != by.pk:
            actions.assign(conversation=conversation, to=by, by=by, at=moment)
        delivery = actions.reply(conversation=conversation, text=line.text, by=by, turn=conversation.turn, at=moment)
        _deliver(delivery, at=moment)

    def _notes(self, talk: Talk, line: Line, moment: datetime) -> None:
        actions.add_note(conversation=self._conversation(talk), text=line.text, by=self.people[line.who], at=moment)

    def _labels(self, talk: Talk, line: Line, moment: datetime) -> None:
        label, by = self.labels[line.text], self.people[line.who]
        actions.add_label(conversation=self._conversation(talk), label=label, by=by, at=moment)

    def _closes(self, talk: Talk, line: Line, moment: datetime) -> None:
        actions.close(conversation=self._conversation(talk), reason=line.text, by=self.people[line.who], at=moment)

    def _snoozes(self, talk: Talk, line: Line, moment: datetime) -> None:
        until = self.at + timedelta(hours=int(line.text.removesuffix("h")))
        actions.snooze(conversation=self._conversation(talk), until=until, by=self.people[line.who], at=moment)

    def _conversation(self, talk: Talk) -> Conversation:
        pk = self.conversations[talk.channel, talk.key]
        return Conversation.objects.select_related("brand", "member").get(pk=pk)


def _deliver(delivery: Delivery, *, at: datetime) -> None:
    """The answer arrived when it was given. Both channels are our own, so that no network is called."""
    account, message = delivery.account, delivery.subject
    receipt = account.connector.reply(account, Target(**delivery.to), message.text, delivery.key)
    Message.objects.filter(pk=message.pk).update(remote_id=receipt.remote_id)
    delivery.state, delivery.attempts, delivery.finished_at = Delivery.State.SENT, 1, at
    delivery.save(update_fields=["state", "attempts", "finished_at"])
    actions.record_outcome(delivery=delivery, at=at)


# Who they are and what they have


def _furnish(brand: Brand, words: Words, *, at: datetime, by: User | None) -> None:
    brand_actions.set_hours(brand=brand, stretches=SHOP_WEEK, at=at, by=by.pk if by else None)
    brand_actions.set_words(brand=brand, words=words.own, at=at, by=by.pk if by else None)
    for year in (at.year, at.year + 1):
        for day, name in zip((date(year, 5, 15), date(year, 11, 9)), words.holidays, strict=True):
            Holiday.objects.get_or_create(brand=brand, on=day, defaults={"name": name})
    site, phone = (_account(brand, kind, at, words) for kind in ("site", "phone"))
    for _key, name, hue, text in words.labels:
        Label.objects.update_or_create(
            brand=brand, name=name, defaults={"hue": hue, "words": [word.strip() for word in text.split(",")]}
        )
    for colleague in COLLEAGUES:
        _employ(brand, colleague, words, at=at)
    for title, either in words.replies:
        text = _addressed(either, is_formal=_is_formal(brand))
        SavedReply.objects.get_or_create(brand=brand, title=title, defaults={"text": text, "language": brand.language})
    complaints = Label.objects.get(brand=brand, name=words.label("complaints"))
    SavedView.objects.get_or_create(
        brand=brand, user=None, name=words.complaints, defaults={"filters": {"view": "open", "label": complaints.pk}}
    )
    for account, label, first, resolution in (
        (None, None, 240, 1500),
        (site, None, 60, 3000),
        (phone, None, 120, None),
        (None, complaints, 30, 600),
    ):
        promises.save_promise(
            brand=brand, account=account, label=label, first_response_minutes=first,
            resolution_minutes=resolution, by=by, at=at,
        )  # fmt: skip


def _account(brand: Brand, kind: str, at: datetime, words: Words | None = None) -> Account:
    account = Account.objects.filter(brand=brand, kind=kind).order_by("pk").first()
    name = words.accounts[kind] if words else kind
    return account or channel_actions.connect(brand=brand, kind=kind, name=name, at=at)


def _colleagues(brand: Brand) -> Sequence[Membership]:
    emails = [_email(brand, colleague) for colleague in COLLEAGUES]
    return list(Membership.objects.filter(brand=brand, user__email__in=emails).select_related("user"))


def _email(brand: Brand, colleague: Colleague) -> str:
    return f"{slugify(colleague.name.split()[0])}@{brand.slug}.example"


def _employ(brand: Brand, colleague: Colleague, words: Words, *, at: datetime) -> None:
    """Nobody can sign in as one of them: their passwords can't be used and their addresses lead nowhere."""
    user = User.objects.filter(email=_email(brand, colleague)).first()
    user = user or User.objects.create_user(
        _email(brand, colleague), name=colleague.name, language=brand.language, notifies_by_mail=False
    )
    member = Membership.objects.create(
        user=user, brand=brand, role=colleague.role, capacity=colleague.capacity,
        is_fallback=colleague.is_fallback, created_at=at,
    )  # fmt: skip
    topics = {words.label(key): level for key, level in colleague.topics.items()}
    for kind, known in (("topic", topics), ("language", colleague.languages), ("channel", colleague.channels)):
        Skill.objects.bulk_create(
            Skill(membership=member, kind=kind, value=value, level=level) for value, level in known.items()
        )
    week = [(day, *colleague.hours) for day in range(5)] + [(5, *SATURDAY)] * colleague.has_saturdays
    Shift.objects.bulk_create(
        Shift(membership=member, weekday=day, starts=starts, ends=ends) for day, starts, ends in week
    )
    if colleague.name.startswith("Mateo"):
        monday = at.date() + timedelta(days=7 - at.weekday())
        Absence.objects.create(
            membership=member,
            starts_on=monday + timedelta(days=7),
            ends_on=monday + timedelta(days=13),
            reason=words.away,
        )
