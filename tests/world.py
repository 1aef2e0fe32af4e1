"""One of everything in a brand, and every address of the house with its arguments filled in."""

from __future__ import annotations

import base64
import hashlib
from datetime import date, time, timedelta

from django.urls import URLPattern, URLResolver, get_resolver

from conftest import NOON, envelope
from tertulia.api import actions as api_actions
from tertulia.api.models import Event
from tertulia.brand import actions as brands
from tertulia.brand.models import Holiday
from tertulia.channels import erasures, reactions
from tertulia.channels.models import Account, AccountWatch, Delivery, Message, PostWatch, Quarantine, RemotePost
from tertulia.community import actions as community
from tertulia.community import models as people
from tertulia.community.models import Member
from tertulia.core.models import Activity
from tertulia.flows import inbound, personal
from tertulia.flows import plans as planning
from tertulia.inbox import actions, joining
from tertulia.inbox.models import Conversation, Label, Promise, Rule, SavedReply, SavedView
from tertulia.insight import actions as insight
from tertulia.publishing import actions as publishing
from tertulia.publishing import (
    approval,
    clicks,
    conversions,
    evergreen,
    exchange,
    feed,
    handles,
    ideas,
    initiatives,
    library,
    linking,
    mailing,
    order_files,
    rhythm,
    series,
)
from tertulia.publishing import pieces as saved_pieces
from tertulia.publishing.models import (
    ApprovalRule,
    Experiment,
    Letter,
    LinkChoice,
    LinkLook,
    LinkSettings,
    Pillar,
    SavedPiece,
    SpokenOf,
    Subscriber,
    Turn,
)
from tertulia.publishing.saying import Piece, Shown, Wanted
from tertulia.strategy import actions as strategy
from tertulia.strategy import plans
from tertulia.strategy.models import Audience, Duty, Kpi, Objective, PlanChannel, PlannedAction
from tertulia.team.models import Absence, Invitation, Membership, Notification, Shift, Skill
from tertulia.understanding import actions as understanding
from tertulia.understanding import lessons, teaching
from tertulia.understanding.learning import NOTHING
from tertulia.understanding.model import shipped
from tertulia.understanding.models import Brain, BrandLayer

GUEST = "marta@agencia.example"
GIF = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=")
EVERYBODYS = ("accounts/", "api/")  # allauth's own pages; the API has its own matrix in tests/api


class World:
    """One of everything in a brand."""

    def __init__(self, brand, owner, *, name: str) -> None:
        self.brand, self.owner = brand, owner
        self.site = Account.objects.create(
            brand=brand, kind="site", name="Página", created_at=NOON, secrets={"signing": "a" * 43}
        )
        Account.objects.create(brand=brand, kind="manual", name="TikTok", created_at=NOON)
        inbound.intake(self.site, [envelope(f"¿Abrís? {name}", thread=f"{name}-a")], at=NOON)
        inbound.intake(self.site, [envelope("Hola", thread=f"{name}-b", remote_id="m2")], at=NOON)
        self.conversation, self.other = Conversation.objects.filter(brand=brand).order_by("id")
        self.message = Message.objects.get(account=self.site, remote_id="m1")
        understanding.read_messages([self.message], at=NOON)
        self.topic = lessons.add_topic(brand=brand, name="Tartas", by=owner.pk, at=NOON)
        self.correction = understanding.correct(
            message=self.message, field="topic:tartas", value=True, by=owner.pk, at=NOON
        )
        line = b'{"text": "Hola", "field": "kind", "value": "other"}'
        self.brought = lessons.import_lines(brand=brand, content=line, name="a.jsonl", by=owner.pk, at=NOON)
        teaching.learn(brand=brand.pk, at=NOON)
        self.held = BrandLayer.objects.create(
            brand=brand, state="held", model=shipped().name, content=NOTHING.packed(), lessons=1, at=NOON,
            figures={"kind": {"judged": 10, "true": 10, "shipped": 0.5, "before": 0.5, "now": 0.4}},
        )  # fmt: skip
        self.delivery = actions.reply(conversation=self.conversation, text="Sí", by=owner, turn=1, at=NOON)
        Delivery.objects.filter(pk=self.delivery.pk).update(state="unknown")
        self.label = Label.objects.create(brand=brand, name="Pan")
        actions.add_label(conversation=self.conversation, label=self.label, by=owner, at=NOON)
        self.reply = SavedReply.objects.create(brand=brand, title="Horario", text="De 9 a 14")
        self.view = SavedView.objects.create(brand=brand, user=None, name="Pan", filters={"label": self.label.id})
        self.promise = Promise.objects.create(brand=brand, first_response_minutes=60)
        self.rule = Rule.objects.create(brand=brand, name="Pan", position=1, acts={"note": "Pan"})
        self.membership = Membership.objects.get(brand=brand, user=owner)
        self.skill = Skill.objects.create(membership=self.membership, kind="topic", value="Pan")
        self.shift = Shift.objects.create(membership=self.membership, weekday=0, starts="09:00", ends="14:00")
        self.absence = Absence.objects.create(membership=self.membership, starts_on="2027-01-01", ends_on="2027-01-02")
        self.invitation = Invitation.objects.create(
            brand=brand, email="n@n.example", role="expert", token_hash=hashlib.sha256(name.encode()).hexdigest(),
            invited_by=owner, created_at=NOON, expires_at=NOON + timedelta(days=7),
        )  # fmt: skip
        line = Activity.objects.filter(brand_id=brand.id).first()
        self.notification = Notification.objects.create(
            user=owner, brand=brand, activity_id=line.id, reason="assigned", url="/", created_at=NOON
        )
        self.quarantine = Quarantine.objects.create(
            account=self.site, received_at=NOON, why="x", body=b"x", digest=name, headers={"host": "x"}
        )
        self.joining = joining.join(kept=self.other.member, other=self._passer_by(name), by=owner, at=NOON)
        self.token, self.secret = api_actions.create_token(
            user=owner, brand=brand, name="t", scopes=["conversations:read"], expires_at=None, at=NOON
        )
        self.webhook, _ = api_actions.add_webhook(
            brand=brand, url="http://127.0.0.1:9/", types=["conversation.received"], by=owner, at=NOON
        )

        self.event = Event.objects.create(webhook=self.webhook, activity_id=line.id, created_at=NOON, due_at=NOON)
        self.feed = Account.objects.create(brand=brand, kind="feed", name="Blog", created_at=NOON)
        said = envelope("Feria del pan", thread="articles", remote_id="a1", kind="article")
        inbound.intake(self.feed, [said], at=NOON)
        self.article = Message.objects.get(account=self.feed)
        self.brain = Brain.objects.create(
            brand=brand, address="http://127.0.0.1:9/v1", model="big", fields=["kind"], created_at=NOON
        )
        self.question = insight.dismiss_question(brand=brand, text="¿Abrís?", language="es", by=owner.pk, at=NOON)
        posted = Account.objects.create(brand=brand, kind="manual", name="Tablón", created_at=NOON)
        self.media = library.add(brand=brand, name="pan.gif", content=GIF, by=owner, at=NOON)
        pieces = [Piece(f"Pan de {name}", pictures=(Shown(self.media.pk),))]
        said = {"pieces": pieces, "versions": {posted.pk: Wanted()}}
        self.post = publishing.create(brand=brand, by=owner, at=NOON, **said)
        self.campaign = strategy.begin(brand=brand, by=owner, at=NOON, name="Pan", goal="Más pan", owner=owner,
                                       starts_on=NOON.date(), words=f"la oferta de {name}")  # fmt: skip
        SpokenOf.objects.create(message=self.message, campaign=self.campaign, at=NOON)
        publishing.count_for(post=self.post, campaign=self.campaign, by=owner, at=NOON)
        publishing.publish_now(post=self.post, by=owner, at=NOON)
        guarded = publishing.create(brand=brand, by=owner, at=NOON, pieces=[Piece("Sorteo")], versions=said["versions"])
        self.approval_rule = ApprovalRule(brand=brand, words="sorteo", allows_own=True)
        publishing.save_rule(rule=self.approval_rule, steps=[{"users": [owner], "outside": [GUEST]}], by=owner, at=NOON)
        self.request = approval.ask(post=guarded, by=owner, at=NOON)
        approval.invite(request=self.request, address=GUEST, at=NOON)
        self.posting = Delivery.objects.get(post__isnull=False, account=posted)
        Delivery.objects.filter(pk=self.posting.pk).update(state="missed")
        self.link = linking.make(brand=brand, target="https://tienda.example/", name="Tienda", by=owner, at=NOON)
        clicks.record(self.link, method="GET", headers={"User-Agent": "Firefox"}, address="", at=NOON)
        self.coupon = linking.add_coupon(brand=brand, code="PAN10", by=owner, at=NOON, link=self.link)
        order = conversions.Order(f"{name}-1", 1250, "EUR", NOON, coupon="PAN10")
        conversions.record(brand=brand, order=order, kind=conversions.Kind.API, by=owner, at=NOON)
        LinkSettings.objects.create(brand=brand, pixel_key=name)
        LinkChoice.objects.create(post=self.post, target="https://tienda.example/", is_short=True)
        self.handle = handles.keep(
            brand=brand, handle=None, name="Obrador Lola", addresses={"manual": "lola"}, by=owner, at=NOON
        )
        self.order_file = order_files.keep(brand=brand, name="a.csv", content=b"ref,value\nA1,5", by=owner, at=NOON)
        comes_back = publishing.create(brand=brand, by=owner, at=NOON, **said)
        each_monday = series.Rule(time=time(9), zone="Europe/Madrid", starts_on=date(2026, 11, 24), texts=["Otro pan"])
        self.series = series.begin(brand=brand, post=comes_back, rule=each_monday, by=owner, at=NOON)
        self.experiment = Experiment.objects.create(
            brand=brand, post=comes_back, kind="wording", title="Preguntar", hypothesis="Se responde más", owner=owner,
            measure="clicks", text_a="Pan", text_b="¿Pan?", begun_by_id=owner.pk, begun_at=NOON,
        )  # fmt: skip
        dealt = self.series.occurrences.exclude(post=None).order_by("on").first()
        Turn.objects.create(experiment=self.experiment, number=0, arm="a", post=dealt.post)
        self.evergreen = evergreen.add(post=self.post, by=owner, at=NOON)
        self.initiative = initiatives.add(
            brand=brand, by=owner, at=NOON, title=f"Feria {name}", starts_on=date(2026, 12, 1), notes="Llevar pan",
            ends_on=date(2026, 12, 2), place="Madrid", owner=owner, campaign=self.campaign, result="Bien",
        )  # fmt: skip
        self.pillar = Pillar.objects.create(brand=brand, name="El oficio", about="Cómo hacemos el pan")
        self.idea = ideas.add(
            brand=brand, by=owner, at=NOON, title=f"Masa madre {name}", brief="Contar la espera", pillar=self.pillar,
            owner=owner, message=self.message, source="message",
        )  # fmt: skip
        ideas.put(idea=self.idea, to="aside", because="Ya lo contamos", by=owner, at=NOON)
        self.file = exchange.bring(
            brand=brand, name="plan.csv", content=b"Texto;Cuentas;Precio\nPan;;1\nPan;Facebook;1\n", schedules=False,
            by=owner, at=NOON,
        )  # fmt: skip
        self.calendar = feed.open_feed(brand=brand, by=owner, at=NOON)
        RemotePost.objects.filter(pk=self.posting.post_id).update(published_at=NOON - timedelta(days=2))
        for days, likes in ((1, 4), (0, 9)):
            seen_at = NOON - timedelta(days=days)
            reactions.keep(post=self.posting.post, values={"likes": likes}, at=seen_at, how="hand", by=owner.pk)
        PostWatch.objects.create(post=self.posting.post, absent_at=NOON)
        AccountWatch.objects.create(account=posted, trouble="Nobody answers")
        asked = rhythm.Rhythm(3, NOON.date(), [], frozenset({(1, time(9))}))
        rhythm.settle(account=posted, rhythm=asked, by=owner, at=NOON)
        self.posted = posted
        self._newsletter(name)
        member = self.other.member
        self.consent = community.note_consent(
            member=member, purpose="Sorteo", wording="Acepto", source="paper", given_at=NOON, by=owner, at=NOON
        )
        self.testimonial = people.Testimonial(
            brand=brand, text=f"El pan de {name} es el mejor que he comido", member=member, said_by="Ana",
            kind="review", stars=5, source="https://resenas.example/7", said_on=NOON.date(), created_by_id=owner.pk,
            created_at=NOON,
        )  # fmt: skip
        community.keep_testimonial(testimonial=self.testimonial, by=owner, at=NOON)
        community.settle_consent(
            testimonial=self.testimonial, consent="given", on=NOON.date(), wording="Sí", until=None, by=owner, at=NOON
        )
        publishing.create(brand=brand, by=owner, at=NOON, pieces=[Piece(self.testimonial.text)])
        community.restrict(member=member, because="Lo pide", by=owner, at=NOON)
        self.export = personal.ask_export(member=member, by=owner, at=NOON)
        personal.keep_for(account=self.site, months=24, by=owner, at=NOON)
        erasures.remember(brand=brand.pk, people=[], messages=[(self.site, "gone")], at=NOON)
        brands.avoid(brand=brand, words=[("barato", "asequible")], at=NOON)
        LinkLook.objects.create(brand=brand, target="https://tienda.example/", asked_at=NOON, status=404)
        self.piece = SavedPiece(brand=brand, title=f"Firma {name}", text="{marca}")
        saved_pieces.keep(piece=self.piece, by=owner, at=NOON)
        self.holiday = Holiday.objects.create(brand=brand, on="2027-05-15", name="San Isidro")
        self._plan(name)

    def _plan(self, name: str) -> None:
        """A whole one, at work."""
        by, at = self.owner, NOON
        first, last = date(2026, 12, 1), date(2026, 12, 31)
        self.plan = plans.begin(
            brand=self.brand, by=by, at=at, name=f"Navidad {name}", starts_on=first, ends_on=last,
            situation="Pocos nos siguen", messages="Pan de verdad", measuring="Cada lunes",
        )  # fmt: skip
        self.audience = Audience(plan=self.plan, name="Familias", about="Compran los sábados")
        self.objective = Objective(plan=self.plan, title="Más pedidos", because="Es la mejor época")
        self.plan_channel = PlanChannel(
            plan=self.plan, account=self.posted, name="Tablón", purpose="Contar", per_week=2
        )
        self.planned_action = PlannedAction(
            plan=self.plan, title=f"Roscones {name}", text="Encarga el tuyo", account=self.posted, on=first, owner=by
        )
        outside = PlannedAction(plan=self.plan, title="Cata", is_outside=True, on=last, owner=by)
        self.duty = Duty(plan=self.plan, user=by, does="Escribe")
        for line in (self.audience, self.objective, self.plan_channel, self.planned_action, outside, self.duty):
            plans.keep(line=line, by=by, at=at)
        self.kpi = Kpi(
            objective=self.objective, name="Pedidos", source="La tienda", baseline=40, target=60, due_on=last, owner=by
        )
        plans.keep(line=self.kpi, by=by, at=at)
        planning.put_to_work(plan=self.plan, by=by, at=at)

    def _newsletter(self, name: str) -> None:
        address = f"{name}@n.example"
        box = Account.objects.create(
            brand=self.brand, kind="mail", name="Correo", created_at=NOON, settings={"address": address}
        )
        self.list = Account.objects.create(
            brand=self.brand,
            kind="newsletter",
            name=f"Boletín {name}",
            created_at=NOON,
            secrets={"signing": "a" * 43},
            settings={"mailbox": address},
        )
        mailing.bring(
            list=self.list, content=f"Email\n{name}@n.example".encode(), basis="Feria", by=self.owner, at=NOON
        )
        self.subscriber = Subscriber.objects.get(list=self.list)
        post = RemotePost.objects.create(account=self.list, draft={"kind": "post", "text": "Pan"}, published_at=NOON)
        mailing.write(post=post, at=NOON)
        draft = {"pieces": [Piece("Roscones")], "versions": {self.list.pk: Wanted()}}
        self.version = publishing.create(brand=self.brand, by=self.owner, at=NOON, **draft).versions.get()
        self.letter = Letter.objects.get(post=post)
        Delivery.objects.filter(pk=self.letter.delivery_id).update(state="unknown", account=box)

    def _passer_by(self, name: str) -> Member:
        inbound.intake(self.site, [envelope("Soy yo otra vez", thread=f"{name}-c", remote_id="m3")], at=NOON)
        return Conversation.objects.get(account=self.site, thread_id=f"{name}-c").member

    def arguments(self) -> dict[str, object]:
        """A value for every argument an address can have."""
        return {
            "brand": self.brand.slug,
            "conversation_id": self.conversation.id,
            "delivery_id": self.delivery.id,
            "label_id": self.label.id,
            "reply_id": self.reply.id,
            "view_id": self.view.id,
            "promise_id": self.promise.id,
            "rule_id": self.rule.id,
            "membership_id": self.membership.id,
            "skill_id": self.skill.id,
            "shift_id": self.shift.id,
            "absence_id": self.absence.id,
            "invitation_id": self.invitation.id,
            "notification_id": self.notification.id,
            "member_id": self.conversation.member_id,
            "joining_id": self.joining.id,
            "account_id": self.site.id,
            "quarantine_id": self.quarantine.id,
            "token_id": self.token.id,
            "webhook_id": self.webhook.id,
            "post_id": self.post.id,
            "media_id": self.media.id,
            "posting_account_id": self.posted.id,
            "posting_id": self.posting.id,
            "link_id": self.link.id,
            "handle_id": self.handle.id,
            "coupon_id": self.coupon.id,
            "order_file_id": self.order_file.id,
            "code": self.link.code,
            "series_id": self.series.id,
            "evergreen_id": self.evergreen.id,
            "initiative_id": self.initiative.id,
            "idea_id": self.idea.id,
            "experiment_id": self.experiment.id,
            "pillar_id": self.pillar.id,
            "brought_id": self.file.id,
            "public_key": self.site.public_key,
            "token": "0" * 43,
            "kind": "site",
            "holiday_id": self.holiday.id,
            "article_id": self.article.id,
            "event_id": self.event.id,
            "message_id": self.message.id,
            "number": 0,
            "news_id": self.posting.post_id,
            "list_id": self.list.id,
            "subscriber_id": self.subscriber.id,
            "letter_id": self.letter.id,
            "version_id": self.version.id,
            "subscription_token": self.subscriber.token,
            "topic_id": self.topic.id,
            "correction_id": self.correction.id,
            "import_id": self.brought.id,
            "brain_id": self.brain.id,
            "question_id": self.question.id,
            "campaign_id": self.campaign.id,
            "approval_rule_id": self.approval_rule.id,
            "request_id": self.request.id,
            "piece_id": self.piece.id,
            "digest": self.media.digest,
            "consent_id": self.consent.id,
            "export_id": self.export.id,
            "plan_id": self.plan.id,
            "audience_id": self.audience.id,
            "objective_id": self.objective.id,
            "kpi_id": self.kpi.id,
            "plan_channel_id": self.plan_channel.id,
            "planned_action_id": self.planned_action.id,
            "duty_id": self.duty.id,
            "testimonial_id": self.testimonial.id,
        }

    def body(self) -> dict[str, object]:
        """A value for every field a form can have, all of this world."""
        ids = {name.removesuffix("_id"): value for name, value in self.arguments().items() if name.endswith("_id")}
        return {
            **ids, **self.arguments(), "to": self.owner.id, "owner": self.owner.id, "user": self.owner.id,
            "text": "intruso", "turn": 9, "reason": "spam", "until": "2030-01-01T10:00", "labels": [self.label.id],
            "name": "intruso", "title": "intruso", "role": "manager", "is_staff": "1", "brand_id": self.brand.id,
            "other": self.other.member_id, "with": self.other.member_id, "was_sent": "yes", "act": "hide",
            "because": "intruso", "url": "https://i.example/", "email": "i@i.example", "kind": "comment",
            "m0-key": "5b0a7c0e-0000-4000-8000-000000000001", "m0-who": "intruso", "m0-text": "intruso",
            "m0-happened_at": "2026-01-01T10:00", "on": "2026-01-01", "other_name": "intruso", "other_value": 1,
            "say": "urgency=100", "sure": "1", "use": "1", "layer": self.held.id, "is_on": "0",
            "target": "https://i.example/", "reference": "i", "value": "5", "reply": self.message.id,
            "click_days": 5,
            "accounts": [self.site.id], "own": [self.site.id], "picture": f"0-{self.media.id}",
            "do": f"use-0-{self.media.id}", "currency": "EUR", "learned": "intruso", "what": "intruso",
            "accounts_chosen": [self.site.id], "verdict": "yes", "users0": [self.owner.id], "words": "intruso",
            "address": GUEST, "comment": "intruso", "author": self.owner.id, "campaign": self.campaign.id,
            "account": self.site.id,
            "pillar": self.pillar.id, "brief": "intruso", "avoided": "intruso", "look": "1",
            "purpose": "intruso", "wording": "intruso", "source": "paper", "given_at": "2026-01-01T10:00", "months": 1,
            "said_by": "intruso", "said_on": "2026-11-20", "stars": 1, "consent": "refused",
            "consent_on": "2026-11-20", "consent_wording": "intruso", "language": "es",
            "per_week": 2, "slot": "3-18:00", "weekday": "1",
        }  # fmt: skip


def addresses() -> list[tuple[str, URLPattern]]:
    def walk(resolver: URLResolver, prefix: str = ""):
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, prefix + str(pattern.pattern))
            else:
                yield prefix + str(pattern.pattern), pattern

    return [(route, pattern) for route, pattern in walk(get_resolver()) if not route.lstrip("^").startswith(EVERYBODYS)]


def fill(route: str, arguments: dict[str, object]) -> str:
    """The address with its arguments. Raises KeyError for one that this file does not know: tell `World`."""
    parts = []
    for part in route.split("<"):
        name, bracket, rest = part.partition(">")
        parts.append(f"{arguments[name.split(':')[-1]]}{rest}" if bracket else part)
    return "/" + "".join(parts)
