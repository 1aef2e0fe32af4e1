"""Labels, saved replies and promises, arranged by whoever manages the inbox."""

from urllib.parse import urlencode

import pytest

from conftest import NOON, envelope
from tertulia.connectors.contract import Author
from tertulia.flows import inbound
from tertulia.inbox.models import Label, Promise, SavedReply

pytestmark = pytest.mark.django_db
SETTINGS = "/b/horno-candela/settings/"


def test_a_label_keeps_its_words_one_a_line(as_alba):
    body = {"name": " Alergias ", "hue": 30, "words": "avellana\n\n  frutos   secos\navellana\n"}
    assert as_alba.post(f"{SETTINGS}labels/", body).status_code == 302
    label = Label.objects.get()
    assert (label.name, label.hue, label.words) == ("Alergias", 30, ["avellana", "frutos secos"])
    assert "avellana\nfrutos secos</textarea>" in as_alba.get(f"{SETTINGS}labels/{label.pk}/").content.decode()


@pytest.mark.parametrize("body", [{"name": "", "hue": 30}, {"name": "PAN", "hue": 30}, {"name": "Nata", "hue": 31}])
def test_a_label_that_makes_no_sense_is_given_back(as_alba, brand, body):
    Label.objects.create(brand=brand, name="pan")
    assert as_alba.post(f"{SETTINGS}labels/", body).status_code == 422
    assert Label.objects.count() == 1


def test_a_label_is_changed_and_removed(as_alba, brand):
    label = Label.objects.create(brand=brand, name="pan")
    as_alba.post(f"{SETTINGS}labels/{label.pk}/", {"name": "Panes", "hue": 60, "words": ""})
    assert Label.objects.get().name == "Panes"
    as_alba.post(f"{SETTINGS}labels/{label.pk}/removal/")
    assert not Label.objects.exists()


def test_saved_replies_come_and_go(as_alba, brand):
    body = {"title": "Horario", "language": "", "text": "De 9 a 14"}
    as_alba.post(f"{SETTINGS}saved-replies/", body)
    assert as_alba.post(f"{SETTINGS}saved-replies/", body).status_code == 422
    reply = SavedReply.objects.get()
    as_alba.post(f"{SETTINGS}saved-replies/{reply.pk}/", {**body, "text": "De 9 a 15"})
    assert SavedReply.objects.get().text == "De 9 a 15"
    as_alba.post(f"{SETTINGS}saved-replies/{reply.pk}/removal/")
    assert not SavedReply.objects.exists()


def test_a_saved_reply_is_in_any_language_the_desk_reads(as_alba, brand, site):
    page = f"{SETTINGS}saved-replies/"
    form = as_alba.get(page, {"title": "Teniu espelta?", "language": "ca"}).context["form"]
    assert form["language"].value() == "ca"
    body = {"title": "Teniu espelta?", "language": "ca", "text": "Sí, els dijous"}
    assert as_alba.post(page, body).status_code == 302
    assert "Catalán" in as_alba.get(page).content.decode().split("</table>")[0]
    SavedReply.objects.create(brand=brand, title="Z", text="Hola")
    for language, first in (("ca", "Teniu espelta?"), ("es", "Z")):
        joan = Author(remote_id=language, name="Joan", language=language)
        [id] = inbound.intake(site, [envelope("Ep", remote_id=language, thread=language, author=joan)], at=NOON)
        choices = as_alba.get(f"/b/horno-candela/inbox/{id}/saved-replies/").context["choices"]
        assert choices[0]["reply"].title == first


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_a_new_reply_leads_nowhere_else(as_alba, address):
    answer = as_alba.post(f"{SETTINGS}saved-replies/?{urlencode({'next': address})}", {"title": "Horario", "text": "x"})
    assert answer["Location"] == f"{SETTINGS}saved-replies/"


def test_a_promise_is_made_and_taken_away(as_alba, site):
    body = {
        "account": site.pk,
        "label": "",
        "first_response_minutes": 30,
        "resolution_minutes": "",
        "in_business_hours": "on",
    }
    as_alba.post(f"{SETTINGS}promises/", body)
    promise = Promise.objects.get()
    assert (promise.account, promise.first_response_minutes, promise.resolution_minutes) == (site, 30, None)
    as_alba.post(f"{SETTINGS}promises/{promise.pk}/removal/")
    assert not Promise.objects.exists()


@pytest.mark.parametrize(
    ("said", "minutes"), [("30 min", 30), ("1 h 30", 90), ("1,5 horas", 90), ("2 días", 2_880), ("4 hours", 240)]
)
def test_a_promise_is_told_as_people_say_it(as_alba, said, minutes):
    as_alba.post(f"{SETTINGS}promises/", {"first_response_minutes": said})
    assert Promise.objects.get().first_response_minutes == minutes


@pytest.mark.parametrize("said", ["pronto", "4 semanas", "-5", "1 h y pico", "0 min", "9" * 50])
def test_a_promise_nobody_understands_is_given_back(as_alba, said):
    assert as_alba.post(f"{SETTINGS}promises/", {"first_response_minutes": said}).status_code == 422
    assert not Promise.objects.exists()


def test_a_promise_is_changed_in_the_form_that_made_it(as_alba, as_carla, site, brand):
    promise = Promise.objects.create(brand=brand, account=site, resolution_minutes=2_880, in_business_hours=True)
    page = as_alba.get(f"{SETTINGS}promises/?of={promise.pk}").content.decode()
    assert 'name="resolution_minutes" value="48 h"' in page
    assert f'<option value="{site.pk}" selected>' in page
    for of in ("0", "x", "9" * 40):
        assert as_alba.get(f"{SETTINGS}promises/?of={of}").status_code == 200


def test_an_empty_promise_is_given_back(as_alba, brand):
    assert as_alba.post(f"{SETTINGS}promises/", {"account": "", "label": ""}).status_code == 422
    assert not Promise.objects.exists()


def test_what_belongs_to_another_brand_is_not_there(as_alba, other_brand):
    label = Label.objects.create(brand=other_brand, name="Tornillos")
    reply = SavedReply.objects.create(brand=other_brand, title="Horario", text="x")
    promise = Promise.objects.create(brand=other_brand, first_response_minutes=5)
    for address in (f"labels/{label.pk}/removal/", f"saved-replies/{reply.pk}/", f"promises/{promise.pk}/removal/"):
        assert as_alba.post(f"{SETTINGS}{address}").status_code == 404
    assert as_alba.post(f"{SETTINGS}promises/", {"label": label.pk, "first_response_minutes": 5}).status_code == 422


@pytest.mark.parametrize("page", ["labels/", "saved-replies/", "promises/"])
def test_who_only_answers_does_not_arrange(as_bruno, page):
    assert as_bruno.get(f"{SETTINGS}{page}").status_code == 403
    assert as_bruno.post(f"{SETTINGS}{page}", {"name": "x", "hue": 30}).status_code == 403
    assert not Label.objects.exists()


def test_nobody_is_led_to_a_page_that_is_closed_to_them(as_alba, as_bruno):
    door = f'href="{SETTINGS}labels/"'
    assert door in as_alba.get("/b/horno-candela/inbox/").content.decode()
    assert door not in as_bruno.get("/b/horno-candela/inbox/").content.decode()


@pytest.mark.parametrize(
    ("path", "words"),
    [("settings/saved-replies/", "Cualquier idioma"), ("settings/", "Ninguna comunidad")],
)
def test_an_empty_choice_says_what_it_means(as_alba, brand, path, words):
    shown = as_alba.get(f"/b/{brand.slug}/{path}").content.decode()
    assert "---" not in shown
    assert f'<option value="">{words}</option>' in shown.replace(" selected", "")
