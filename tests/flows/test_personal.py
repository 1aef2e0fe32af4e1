"""What people may ask for, as the desk does it: restriction, consent, retention, the list after a restore, the page."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from conftest import NOON, envelope
from tertulia.channels import erasures
from tertulia.channels.models import Account, Erased, ErasureKey, Message, Retention
from tertulia.community import actions as community
from tertulia.community.models import Consent, Erasure, Export
from tertulia.connectors.contract import Author
from tertulia.core import clock, jobs
from tertulia.core.models import Activity
from tertulia.flows import inbound, personal
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation
from tertulia.insight import topics
from tertulia.understanding.models import MessageReading

pytestmark = pytest.mark.django_db
ANA = Author(remote_id="visitor-4711", name="Ana Prados", email="ana.prados@correo.example")


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


def wrote(account: Account, text: str = "¿Abrís?", **fields) -> Conversation:
    fields = {"thread": "ana", "author": ANA, **fields}
    inbound.intake(account, [envelope(text, **fields)], at=NOON)
    return Conversation.objects.get(account=account, thread_id=fields["thread"])


def test_nothing_reads_or_counts_what_a_restricted_person_wrote(site, alba, brand):
    member = wrote(site).member
    community.restrict(member=member, because="", by=alba, at=NOON)
    jobs.run_due(NOON)
    assert not MessageReading.objects.exists()
    period = topics.Period(NOON.date(), NOON.date(), brand.time_zone)
    assert topics.messages(brand, period) == []
    community.lift_restriction(member=member, by=alba, at=NOON)
    inbound.process_alone(conversation_id=Conversation.objects.get().pk)
    assert MessageReading.objects.count() == len(topics.messages(brand, period)) == 1


def test_consent_is_kept_with_its_words_and_can_be_withdrawn_once(as_alba, alba, site):
    member = wrote(site).member
    page = f"/b/horno-candela/people/{member.pk}/data/"
    said = {"purpose": "Fotos", "wording": "Sí, usadlas", "source": "paper", "given_at": "2026-11-23T10:00"}
    assert as_alba.post(f"{page}consents/", said).status_code == 302
    consent = Consent.objects.get(member=member, wording="Sí, usadlas", by_id=alba.pk)
    assert consent.given_at == NOON - timedelta(hours=2)
    for later in (0, 1):
        community.withdraw_consent(consent=consent, by=alba, at=NOON + timedelta(days=later))
    consent.refresh_from_db()
    assert (consent.withdrawn_at, consent.withdrawn_by_id) == (NOON, alba.pk)
    assert "Sí, usadlas" in as_alba.get(page).content.decode()


def test_what_is_too_old_goes_and_what_is_open_stays(site, alba, brand):
    old = wrote(site, "Hace mucho", sent_at=NOON - timedelta(days=400))
    still_open = wrote(site, "Hace mucho también", remote_id="m2", thread="eva", author=Author("eva", name="Eva"),
                       sent_at=NOON - timedelta(days=400))  # fmt: skip
    young = wrote(site, "Ayer", remote_id="m3", thread="leo", author=Author("leo", name="Leo"))
    for row in (old, young):
        actions.close(conversation=row, reason="no_answer", by=alba, at=NOON)
    personal.keep_for(account=site, months=12, by=alba, at=NOON)
    assert personal.too_old(site, 12, at=NOON).get() == old
    personal.forget()
    jobs.run_due(NOON)
    assert sorted(Message.objects.values_list("text", flat=True)) == ["", "Ayer", "Hace mucho también"]
    old.refresh_from_db()
    assert (old.member_name, old.member.name, old.state) == ("", "", "closed")
    still_open.refresh_from_db()
    assert still_open.member_name == "Eva"
    assert Activity.objects.filter(type="retention.applied", data__n=1).exists()
    wrote(site, "Hace mucho", sent_at=NOON - timedelta(days=400), remote_id="m1", thread="leo")
    assert Erased.objects.filter(kept_out=1).count() == 1  # reading the channel again doesn't bring it back


def test_the_list_erases_again_what_a_backup_brought_back(site, alba):
    member = wrote(site, "Mi pedido").member
    personal.ask_erasure(member=member, why="", by=alba, at=NOON)
    jobs.run_due(NOON)
    listed = erasures.written()
    # The database as it was before: nothing erased, nothing listed, not even the key.
    for model in (Erasure, Erased, ErasureKey):
        model.objects.all().delete()
    Message.objects.all().delete()
    Conversation.objects.all().delete()
    back = wrote(site, "Mi pedido")
    other = wrote(site, "Hola", remote_id="m2", thread="eva", author=Author("eva", name="Eva Soler"))
    assert personal.replay(listed, at=NOON) == personal.Replayed(1, [])
    back.refresh_from_db()
    assert (back.member.name, Message.objects.get(pk=other.pk and Message.objects.last().pk).text) == ("", "Hola")
    assert not Message.objects.filter(text="Mi pedido").exists()
    assert personal.replay(listed, at=NOON).erased == 0
    with pytest.raises(erasures.NotThisList):
        personal.replay("nothing of the kind", at=NOON)


def test_a_person_is_erased_from_the_page_and_the_copy_is_noted_in_the_feed(as_alba, as_bruno, alba, site):
    member = wrote(site).member
    page = f"/b/horno-candela/people/{member.pk}/data/"
    assert as_bruno.get(page).status_code == 403
    as_alba.post(f"{page}copies/")
    jobs.run_due(NOON)
    copy = as_alba.post(f"/b/horno-candela/people/data/copies/{Export.objects.get().pk}/")
    assert copy.content[:2] == b"PK"
    assert Activity.objects.filter(type="member.taken_along", by_id=alba.pk).exists()
    assert as_alba.post(f"{page}erasure/", {"why": ""}).status_code == 422
    assert not Erasure.objects.exists()
    as_alba.post(f"{page}erasure/", {"why": "por correo", "sure": "on"})
    jobs.run_due(NOON)
    assert Erasure.objects.get().done_at == NOON
    shown = as_alba.get(page).content.decode()
    assert "Prados" not in shown
    assert "copias de seguridad" in shown
    assert "Prados" not in as_alba.get("/b/horno-candela/people/").content.decode()


def test_a_copy_is_written_for_people_in_words_and_in_the_brands_time(site, brand):
    member = wrote(site, "¿Abrís el domingo?").member
    jobs.run_due(NOON)
    with translation.override("es"), timezone.override(brand.time_zone):
        parcel = zipfile.ZipFile(io.BytesIO(personal.written(member, at=NOON)))
    page, data = parcel.read("index.html").decode(), parcel.read("data.json").decode()
    for words in ("<dt>Cuándo</dt><dd>23/11/2026 12:00</dd>", "de ti a nosotros", "¿Abrís el domingo?", "Ana Prados"):
        assert words in page
    for name in ("identity_id", "remote_id", "waiting_since", "{&#x27;", "{&quot;"):
        assert name not in page
    assert "remote_id" in data


def test_the_preview_of_a_retention_says_what_would_go_and_keeps_nothing(as_alba, alba, site):
    row = wrote(site, sent_at=NOON - timedelta(days=400))
    actions.close(conversation=row, reason="no_answer", by=alba, at=NOON)
    address = f"/b/horno-candela/settings/personal-data/{site.pk}/"
    assert "Hoy se borraría 1 conversación" in as_alba.get(f"{address}?months=12").content.decode()
    assert not Retention.objects.exists()
    assert as_alba.post(address, {"months": "12"}).status_code == 302
    assert Retention.objects.get().months == 12
    record = as_alba.get("/b/horno-candela/settings/personal-data/").content.decode()
    assert "12 meses" in record
    assert "Tu página web" in record
    assert "{" not in record.partition("<main")[2].partition("</main")[0]
