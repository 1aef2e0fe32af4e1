"""Publishing through the API: the same actions, checks and refusals as on the pages."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from itertools import count

import pytest
from callers import program
from time_machine import travel

from conftest import NOON, envelope, person
from publishing.publishing_cast import DUE, account_of, go_on, network, picture, png, state  # noqa: F401
from tertulia.api.models import KeptAnswer
from tertulia.brand import actions as brands
from tertulia.channels import reactions
from tertulia.channels.models import Account, Delivery, Message, RemotePost
from tertulia.core.models import Activity, Job
from tertulia.flows import inbound
from tertulia.publishing import actions, ideas, rhythm, series, writing
from tertulia.publishing.models import ApprovalRequest, ApprovalRule, Draft, LinkLook, Media, Post, Promise, Stop
from tertulia.publishing.writing import Writing
from tertulia.strategy import actions as strategy

pytestmark = pytest.mark.django_db
KEYS = count()
ONE = {"on": "2026-11-23", "time": "13:00"}
"""An hour after noon, on the wall in Madrid: `DUE`."""


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def api(alba, brand):
    return program(alba, brand)


@pytest.fixture
def account(account_of):  # noqa: F811
    return account_of(name="Mastodon")


@pytest.fixture
def begin(api, account):
    """`begin("Pan")`: a draft for that account, of whoever `by` speaks for, as the API tells it."""

    def write(text: str = "Pan de pueblo", by=None, **said) -> dict:
        body = {"parts": [{"text": text}], "versions": [{"channel_id": account.pk}], **said}
        answer = (by or api).post("/posts", body, **key())
        assert answer.status_code == 201, answer.data
        return answer.data

    return write


@pytest.fixture
def rule(brand, alba):
    return actions.save_rule(rule=ApprovalRule(brand=brand), steps=[{"users": [alba]}], by=alba, at=NOON)


def key(name: str = "") -> dict[str, str]:
    return {"Idempotency-Key": name or f"k{next(KEYS)}"}


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.data["error"]["code"]


def test_a_post_is_written_whole_and_told_as_it_was_written(api, account, account_of, picture, brand, alba):  # noqa: F811
    other = account_of(name="Blog")
    campaign = strategy.begin(brand=brand, by=alba, at=NOON, name="Pan", goal="Más pan", owner=alba)
    said = {
        "title": "Pan de Navidad", "parts": [
            {"text": "Uno", "pictures": [{"id": picture.pk, "alt": "Un pan entero"}]}, {"text": "Dos", "pictures": []},
        ],
        "comment": "Y además", "poll": {"options": ["Sí", "No"], "seconds": 3600, "multiple": False},
        "versions": [
            {"channel_id": other.pk, "parts": [{"text": "Otro", "pictures": []}], "comment": "", "title": "Pan",
             "warning": "", "language": "", "visibility": ""},
            {"channel_id": account.pk, "parts": None, "comment": "", "title": "", "warning": "Azúcar",
             "language": "", "visibility": ""},
        ],
        "campaign_id": campaign.pk, "on": "2026-12-24", "time": "09:30", "zone": "America/Bogota",
    }  # fmt: skip
    answer = api.post("/posts", said, **key())
    told = answer.data
    assert (answer.status_code, told["state"], told["revision"]) == (201, "draft", 1)
    for version in told["versions"]:
        assert [version.pop(name) for name in ("state", "deliveries", "figures")] == ["", [], []]
        assert version.pop("channel") in {"Blog", "Mastodon"}
    assert {name: told[name] for name in said} == said
    assert told["publish_at"] == "2026-12-24T14:30:00Z"
    assert api.get(f"/posts/{told['id']}").data["parts"] == said["parts"]
    assert Activity.objects.filter(type="post.created", on_id=told["id"], by_id=alba.pk).exists()


def test_the_same_call_again_begins_no_second_post_and_schedules_once(api, account, begin):
    body = {"parts": [{"text": "Pan"}], "versions": [{"channel_id": account.pk}]}
    first, again = (api.post("/posts", body, **key("same")) for _n in range(2))
    assert (again.status_code, again.data, Post.objects.count()) == (201, first.data, 1)
    for path, said in (("schedule", ONE), ("publication", {})):
        id = begin(path)["id"]
        first, again = (api.put(f"/posts/{id}/{path}", said, **key(path)) for _n in range(2))
        assert (again.status_code, again.data) == (200, first.data)
        assert Activity.objects.filter(type="post.scheduled", on_id=id).count() == 1
        assert code(api.put(f"/posts/{id}/{path}", {**said, "known": "x"}, **key(path)))[1] == "idempotency_key_reused"
        assert code(api.put(f"/posts/{id}/{path}", said)) == (400, "no_idempotency_key")


def test_what_somebody_has_on_their_page_stays_there(api, brand, alba, begin):
    writing.keep_draft(brand=brand, post=None, writing=Writing(title="A medias"), by=alba, at=NOON)
    begin()
    assert Draft.objects.get().written["title"] == "A medias"


def test_a_scheduled_post_leaves_at_its_time_and_its_fate_is_told(network, api, begin, go_on):  # noqa: F811
    id = begin()["id"]
    told = api.put(f"/posts/{id}/schedule", ONE, **key()).data
    assert (told["state"], told["publish_at"], told["on"], told["time"]) == (
        "scheduled", "2026-11-23T12:00:00Z", "2026-11-23", "13:00"
    )  # fmt: skip
    [waiting] = told["versions"][0]["deliveries"]
    assert (waiting["state"], waiting["due_at"], waiting["url"]) == ("queued", "2026-11-23T12:00:00Z", "")
    go_on(DUE, minutes=1)
    told = api.get(f"/posts/{id}").data
    [out] = told["versions"][0]["deliveries"]
    assert (told["state"], out["state"], out["finished_at"]) == ("published", "sent", "2026-11-23T12:00:00Z")
    assert out["url"] == f"https://fake.example/{network.posts[0]['id']}"
    assert [one["text"] for one in network.posts] == ["Pan de pueblo"]


def test_a_time_on_another_wall_is_that_walls(api, begin):
    told = api.put(f"/posts/{begin()['id']}/schedule", {**ONE, "zone": "Asia/Tokyo"}, **key())
    assert code(told) == (422, "refused"), "in Tokyo it has passed"
    told = api.put(f"/posts/{begin()['id']}/schedule", {**ONE, "zone": "America/Bogota"}, **key()).data
    assert (told["zone"], told["time"], told["publish_at"]) == ("America/Bogota", "13:00", "2026-11-23T18:00:00Z")
    told = api.put(f"/posts/{begin()['id']}/schedule", {**ONE, "zone": "Madrid"}, **key())
    assert code(told) == (422, "not_here")


def test_published_now_it_leaves_after_the_undo_window_and_can_be_taken_back_until_then(
    network,  # noqa: F811
    api,
    begin,
    go_on,  # noqa: F811
):
    caught, gone = begin("Pan de hoy")["id"], begin("Bollos de hoy, con crema")["id"]
    for id in (caught, gone):
        told = api.put(f"/posts/{id}/publication", **key()).data
        assert told["versions"][0]["deliveries"][0]["due_at"] == "2026-11-23T11:00:10Z"
    for _twice in range(2):
        assert api.delete(f"/posts/{caught}/schedule").data["state"] == "cancelled"
    assert Activity.objects.filter(type="post.cancelled").count() == 1
    go_on(NOON, minutes=1)
    assert [one["text"] for one in network.posts] == ["Bollos de hoy, con crema"]
    assert code(api.delete(f"/posts/{gone}/schedule")) == (409, "too_late")
    assert code(api.put(f"/posts/{gone}/publication", **key())) == (409, "too_late")
    assert api.delete(f"/posts/{gone}/publication").status_code == 200
    go_on(NOON + timedelta(minutes=2), minutes=1)
    told = api.get(f"/posts/{gone}").data
    assert (told["state"], told["versions"][0]["deliveries"][0]["is_deleted"]) == ("deleted", True)
    assert code(api.delete(f"/posts/{gone}/publication")) == (422, "refused")


def test_over_a_networks_limit_it_is_refused_in_the_words_of_the_page(api, as_alba, brand, begin):
    id = begin("x" * 301)["id"]
    checks = api.get(f"/posts/{id}/checks").data
    [line] = [one["says"] for one in checks["lines"] if one["tone"] == "late"]
    assert (checks["stops"], checks["versions"][0]["parts"][0]["length"]) == (True, 301)
    assert checks["versions"][0]["parts"][0]["longest"] == 300
    for path, said in (("schedule", ONE), ("publication", {})):
        told = api.put(f"/posts/{id}/{path}", {**said, "known": checks["known"]}, **key())
        assert (*code(told), told.data["error"]["message"]) == (422, "unfit", line)
    told = api.get(f"/posts/{id}").data
    assert (told["state"], told["on"], KeptAnswer.objects.count()) == ("draft", None, 1), "nothing of it was done"
    form = {"on": "2026-11-23", "time": "13:00"}
    page = as_alba.post(f"/b/{brand.slug}/posts/{id}/schedule/", form, follow=True, headers={"Accept-Language": "es"})
    assert line in page.content.decode()


def test_warnings_are_read_before_it_leaves(api, begin, picture, brand):  # noqa: F811
    Media.objects.update(alt="")
    brands.avoid(brand=brand, words=[("barato", "asequible")], at=NOON)
    id = begin("Compra aquí", parts=[{"text": "Pan barato: htp://pan", "pictures": [{"id": picture.pk}]}])["id"]
    told = api.put(f"/posts/{id}/schedule", ONE, **key("mine"))
    assert code(told) == (409, "warnings")
    says = " ".join(one["says"] for one in told.data["error"]["lines"])
    assert "pan.png" in says
    assert "htp://pan" in says
    assert "«barato»" in says
    assert state(Post.objects.get()) == "draft"
    assert api.get(f"/posts/{id}/checks").data["warns"]
    again = api.put(f"/posts/{id}/schedule", {**ONE, "known": told.data["error"]["known"]}, **key("mine"))
    assert (again.status_code, again.data["state"]) == (200, "scheduled")


def test_warnings_are_read_before_approval_lets_it_leave_by_itself(api, rule, begin, bruno, brand):
    author = program(bruno, brand)
    ids = [begin("Mira htp://pan", by=author, **ONE)["id"] for _each in range(2)]
    told = author.put(f"/posts/{ids[0]}/approval")
    assert (code(told), ApprovalRequest.objects.count()) == ((409, "warnings"), 0)
    again = author.put(f"/posts/{ids[0]}/approval", {"known": told.data["error"]["known"]})
    assert (again.status_code, again.data["state"]) == (200, "approval")
    assert author.put(f"/posts/{ids[1]}/approval", {"schedules": False}).data["state"] == "approval"


def test_links_are_asked_in_the_background_and_a_dead_one_is_told(api, begin):
    id = begin("Mira https://pan.example/oferta")["id"]
    [link] = api.get(f"/posts/{id}/checks").data["links"]
    assert (link["tone"], link["is_waiting"], Job.objects.filter(task="publishing.look_at_link").count()) == (
        "note", True, 1
    )  # fmt: skip
    LinkLook.objects.update(asked_at=NOON, status=404)
    checks = api.get(f"/posts/{id}/checks").data
    assert (checks["links"][0]["tone"], checks["warns"], checks["is_waiting"]) == ("soon", True, False)
    assert code(api.put(f"/posts/{id}/publication", **key())) == (409, "warnings")


def test_other_wordings_of_what_comes_back_are_looked_at_and_named(api, begin, brand, alba):
    post = Post.objects.get(pk=begin("Pan")["id"])
    texts = ["Mira htp://pan y https://pan.example/no"]
    rule = series.Rule(time=time(9), zone="Europe/Madrid", starts_on=date(2026, 11, 24), texts=texts)
    series.begin(brand=brand, post=post, rule=rule, by=alba, at=NOON)
    checks = api.get(f"/posts/{post.pk}/checks").data
    assert [line["says"][:11] for line in checks["lines"] if "htp://pan" in line["says"]] == ["Redacción 2"]
    assert [link["says"] for link in checks["links"]] == ["Redacción 2: aún sin mirar"]
    assert checks["is_waiting"]


def test_a_rule_of_approval_blocks_and_an_edit_needs_a_new_one(network, api, account, rule, bruno, brand, alba, go_on):  # noqa: F811
    author = program(bruno, brand)
    body = {"parts": [{"text": "Pan"}], "versions": [{"channel_id": account.pk}], **ONE}
    id = author.post("/posts", body, **key()).data["id"]
    for path, said in (("schedule", ONE), ("publication", {})):
        assert code(api.put(f"/posts/{id}/{path}", said, **key())) == (409, "not_approved")
    assert api.get(f"/posts/{id}").data["approval"]["is_lacking"]
    for _twice in range(2):
        told = author.put(f"/posts/{id}/approval").data
    assert (told["state"], len(told["approval"]["requests"])) == ("approval", 1)
    actions.approve(request=ApprovalRequest.objects.get(), is_approved=True, by=alba, at=NOON, comment="Adelante")
    told = api.get(f"/posts/{id}").data
    [asked] = told["approval"]["requests"]
    assert (told["state"], told["approval"]["is_lacking"], asked["outcome"]) == ("scheduled", False, "approved")
    assert [(one["who"], one["comment"]) for one in asked["decisions"]] == [("Alba", "Adelante")]
    other = {**body, "parts": [{"text": "Otro pan"}], "revision": told["revision"]}
    told = author.put(f"/posts/{id}", other).data
    assert (told["state"], told["approval"]["is_lacking"]) == ("draft", True)
    assert told["versions"][0]["deliveries"] == []
    assert code(api.put(f"/posts/{id}/schedule", ONE, **key())) == (409, "not_approved")
    go_on(NOON, hours=2)
    assert network.posts == []


def test_without_a_rule_there_is_nothing_to_approve(api, begin):
    assert code(api.put(f"/posts/{begin()['id']}/approval")) == (422, "refused")


@pytest.fixture
def two_steps(brand, alba, bruno):
    """Bruno, then Alba."""
    steps = [{"users": [bruno]}, {"users": [alba]}]
    return actions.save_rule(rule=ApprovalRule(brand=brand), steps=steps, by=alba, at=NOON)


def test_a_post_is_approved_by_those_who_are_asked_in_their_turn(api, two_steps, begin, bruno, brand):
    author, first = program(person("Eva", brand, "expert"), brand), program(bruno, brand)
    id = begin(by=author, **ONE)["id"]
    author.put(f"/posts/{id}/approval")
    [asked] = first.get("/approvals").data["items"]
    assert (asked["post_id"], asked["title"], asked["outcome"], api.get("/approvals").data["items"]) == (
        id, "Pan de pueblo", "", [],
    )  # fmt: skip
    at = f"/approvals/{asked['id']}/decision"
    for who in (api, author):
        assert code(who.put(at, {"is_approved": True}, **key())) == (403, "not_asked")
    assert code(first.put(at, {"is_approved": False}, **key())) == (422, "refused")
    told = [first.put(at, {"is_approved": True, "comment": "Bien"}, **key("mine")) for _twice in range(2)]
    assert told[0].data == told[1].data
    assert code(first.put(at, {"is_approved": True}, **key())) == (403, "not_asked")
    assert code(first.put(at, {"is_approved": True})) == (400, "no_idempotency_key")
    told = api.put(at, {"is_approved": True}, **key()).data
    assert (told["state"], told["approval"]["is_lacking"]) == ("scheduled", False)
    assert [(one["who"], one["comment"]) for one in told["approval"]["requests"][0]["decisions"]] == [
        ("Bruno", "Bien"), ("Alba", ""),
    ]  # fmt: skip
    assert code(api.put(at, {"is_approved": False, "comment": "No"}, **key())) == (409, "settled")
    assert Activity.objects.get(type="post.approved", by_id=bruno.pk).on_id == id


def test_changes_are_asked_for_and_an_overtaken_request_is_no_longer_decided(api, rule, begin, bruno, brand, account):
    author = program(bruno, brand)
    id = begin(by=author)["id"]
    author.put(f"/posts/{id}/approval")
    first = ApprovalRequest.objects.get().pk
    told = api.put(f"/approvals/{first}/decision", {"is_approved": False, "comment": "Más corto"}, **key()).data
    assert (told["state"], told["approval"]["requests"][0]["outcome"]) == ("changes", "changes")
    author.put(f"/posts/{id}/approval")
    second = ApprovalRequest.objects.latest("pk").pk
    body = {"parts": [{"text": "Pan"}], "versions": [{"channel_id": account.pk}], "revision": 1}
    assert author.put(f"/posts/{id}", body).status_code == 200
    assert code(api.put(f"/approvals/{second}/decision", {"is_approved": True}, **key())) == (409, "settled")
    assert api.get("/approvals").data == {"items": [], "next": None}


def test_a_request_that_nobody_is_left_to_decide_is_told(api, rule, begin, bruno, brand):
    author = program(bruno, brand)
    id = begin(by=author)["id"]
    author.put(f"/posts/{id}/approval")
    ApprovalRequest.objects.update(outcome="nobody")
    assert api.get(f"/posts/{id}").data["approval"]["requests"][0]["outcome"] == "nobody"


def leg_of(told: dict) -> dict:
    [leg] = told["versions"][0]["deliveries"]
    return leg


def test_what_was_refused_is_sent_again_once(network, api, begin, go_on, as_alba):  # noqa: F811
    id = begin()["id"]
    api.put(f"/posts/{id}/schedule", ONE, **key())
    network.faults.append("400")
    go_on(DUE, minutes=1)
    leg = leg_of(api.get(f"/posts/{id}").data)
    assert leg["state"] == "refused"
    at = f"/deliveries/{leg['id']}/retry"
    told = [api.put(at, **key("again")) for _twice in range(2)]
    assert (told[0].status_code, leg_of(told[0].data)["state"], told[0].data) == (200, "queued", told[1].data)
    assert code(api.put(at, **key())) == (409, "settled")
    assert code(api.put(f"/deliveries/{leg['id']}/decision", {"was_sent": True}, **key())) == (409, "settled")
    go_on(DUE + timedelta(minutes=5), minutes=1)
    assert leg_of(api.get(f"/posts/{id}").data)["state"] == "sent"
    assert (len(network.posts), Activity.objects.filter(type="post.retried", on_id=id).count()) == (1, 1)


@pytest.mark.parametrize(("was_sent", "becomes"), [(True, "sent"), (False, "queued")])
def test_what_nobody_knows_is_settled_by_who_looked(network, api, account_of, begin, go_on, was_sent, becomes):  # noqa: F811
    blind = account_of("fake-blind", name="Ciega")
    id = begin(versions=[{"channel_id": blind.pk}])["id"]
    api.put(f"/posts/{id}/schedule", ONE, **key())
    network.faults.append("accept_then_cut")
    go_on(DUE, minutes=30)
    leg = leg_of(api.get(f"/posts/{id}").data)
    at, said = f"/deliveries/{leg['id']}/decision", {"was_sent": was_sent, "url": "pan.example/1" if was_sent else ""}
    assert code(api.put(at, {**said, "url": "no es una"}, **key())) == (422, "invalid")
    assert code(api.put(f"/deliveries/{leg['id']}/completion", {}, **key())) == (409, "settled")
    told = leg_of(api.put(at, said, **key()).data)
    assert (told["state"], told["url"]) == (becomes, "https://pan.example/1" if was_sent else "")
    assert code(api.put(at, said, **key())) == (409, "settled")
    assert Activity.objects.get(type="post.decided", on_id=id).data["was_sent"] is was_sent


def test_what_is_done_by_hand_is_ticked_off_with_its_address(api, account_of, begin, go_on, alba, brand):  # noqa: F811
    hand = account_of("manual", name="Instagram")
    hand.settings = {"platform": "instagram"}
    hand.save()
    id = begin(versions=[{"channel_id": hand.pk}])["id"]
    unseen = api.put(f"/posts/{id}/schedule", ONE, **key())  # no picture hangs on it
    api.put(f"/posts/{id}/schedule", {**ONE, "known": unseen.data["error"]["known"]}, **key())
    go_on(DUE, minutes=1)
    leg = leg_of(api.get(f"/posts/{id}").data)
    assert leg["state"] == "by_hand"
    at, said = f"/deliveries/{leg['id']}/completion", {"url": "https://instagram.example/p/1"}
    assert code(program(alba, brand, "posts:read", "posts:approve").put(at, said, **key())) == (403, "scope_missing")
    told = leg_of(api.put(at, said, **key()).data)
    assert (told["state"], told["url"]) == ("sent", "https://instagram.example/p/1")
    assert code(api.put(at, said, **key())) == (409, "settled")


def test_a_reply_is_no_delivery_of_a_post(api, brand):
    account = Account.objects.create(brand=brand, kind="site", name="Web", created_at=NOON)
    inbound.intake(account, [envelope()], at=NOON)
    row = Delivery.objects.create(
        account=account, act="reply", on=Message.objects.get(), key="k", state="refused", due_at=NOON, created_at=NOON
    )
    assert code(api.put(f"/deliveries/{row.pk}/retry", **key())) == (404, "not_found")


def test_campaigns_are_listed_with_what_belongs_to_them(api, brand, alba, other_brand, carla, begin):
    said = {"goal": "Más pan", "owner": alba, "budget": Decimal("120.50"), "starts_on": date(2026, 12, 1)}
    old = strategy.begin(brand=brand, by=alba, at=NOON, name="Pan", **said)
    new = strategy.begin(brand=brand, by=alba, at=NOON + timedelta(hours=1), name="Roscón", goal="", owner=None)
    strategy.begin(brand=other_brand, by=carla, at=NOON, name="Tornillos", goal="", owner=None)
    strategy.close(campaign=old, learned="Antes", results=[], by=alba, at=NOON)
    begin(campaign_id=new.pk)
    first = api.get("/campaigns?limit=1").data
    second = api.get(f"/campaigns?limit=1&after={first['next']}").data
    told = [first["items"][0], second["items"][0]]
    assert ([one["id"] for one in told], [one["posts"] for one in told], second["next"]) == (
        [new.pk, old.pk], [1, 0], None,
    )  # fmt: skip
    assert {name: told[1][name] for name in ("budget_cents", "currency", "owner_id", "starts_on", "learned")} == {
        "budget_cents": 12050, "currency": "EUR", "owner_id": alba.pk, "starts_on": "2026-12-01", "learned": "Antes",
    }  # fmt: skip
    assert (told[0]["budget_cents"], told[0]["closed_at"], bool(told[1]["closed_at"])) == (None, None, True)


def test_a_change_replaces_what_leaves_and_whoever_is_overtaken_hears_of_it(network, api, account, begin, go_on):  # noqa: F811
    post = begin()
    api.put(f"/posts/{post['id']}/schedule", ONE, **key())
    body = {"parts": [{"text": "Pan de otro pueblo"}], "versions": [{"channel_id": account.pk}], **ONE, "revision": 1}
    told = api.put(f"/posts/{post['id']}", body)
    assert (told.status_code, told.data["state"], told.data["revision"]) == (200, "scheduled", 2)
    assert code(api.put(f"/posts/{post['id']}", body)) == (409, "changed")
    go_on(DUE, minutes=1)
    assert [one["text"] for one in network.posts] == ["Pan de otro pueblo"]
    late = {**body, "revision": 2, "versions": []}
    assert code(api.put(f"/posts/{post['id']}", late)) == (409, "too_late")


def test_a_change_of_what_is_scheduled_is_refused_where_it_would_not_fit_and_tells_what_may_be_amiss(
    api, account, begin
):  # fmt: skip
    post = begin()
    api.put(f"/posts/{post['id']}/schedule", ONE, **key())
    body = {"versions": [{"channel_id": account.pk}], **ONE, "revision": 1}
    long = api.put(f"/posts/{post['id']}", {**body, "parts": [{"text": "p" * 301}]})
    assert code(long) == (422, "unfit")
    told = api.put(f"/posts/{post['id']}", {**body, "parts": [{"text": "Mira http://horno"}]})
    assert (told.status_code, told.data["state"], told.data["revision"]) == (200, "scheduled", 2)
    assert [(line["tone"], "http://horno" in line["says"]) for line in told.data["lines"]] == [("soon", True)]


def test_what_missed_its_time_is_told_and_a_new_time_is_for_those_who_may_publish(
    network,  # noqa: F811
    api,
    alba,
    brand,
    account,
    begin,
    go_on,  # noqa: F811
):
    post = begin()
    api.put(f"/posts/{post['id']}/schedule", ONE, **key())
    late = DUE + timedelta(hours=1)
    go_on(late, minutes=1)
    with travel(late, tick=False):
        told = api.get(f"/posts/{post['id']}").data
        assert (told["state"], told["versions"][0]["deliveries"][0]["state"]) == ("missed", "missed")
        assert [one["id"] for one in api.get("/posts?state=missed").data["items"]] == [post["id"]]
        later = {"on": "2026-11-23", "time": "16:00"}
        body = {"parts": [{"text": "Pan de pueblo"}], "versions": [{"channel_id": account.pk}], **later, "revision": 1}
        writer = program(alba, brand, "posts:read", "posts:write")
        assert code(writer.put(f"/posts/{post['id']}", body)) == (403, "scope_missing")
        reviewer = program(person("Rita", brand, "expert"), brand)
        assert code(reviewer.put(f"/posts/{post['id']}", body)) == (403, "not_allowed")
        assert api.put(f"/posts/{post['id']}", body).data["state"] == "scheduled"
        assert api.get("/posts?state=missed").data == {"items": [], "next": None}


def test_what_nobody_knows_is_told_as_unknown(network, api, account_of, begin, go_on):  # noqa: F811
    blind = account_of("fake-blind", name="Ciega")
    id = begin(versions=[{"channel_id": blind.pk}])["id"]
    api.put(f"/posts/{id}/schedule", ONE, **key())
    network.faults.append("accept_then_cut")
    go_on(DUE, minutes=30)
    told = api.get(f"/posts/{id}").data
    [leg] = told["versions"][0]["deliveries"]
    assert (told["state"], leg["state"], leg["url"], bool(leg["why"])) == ("unknown", "unknown", "", True)
    assert [one["id"] for one in api.get("/posts?state=unknown").data["items"]] == [id]
    assert code(api.put(f"/posts/{id}/publication", **key())) == (409, "too_late")
    assert len(network.posts) == 1


def test_figures_nobody_told_are_null_and_never_zero(api, begin, go_on):  # noqa: F811
    id = begin()["id"]
    api.put(f"/posts/{id}/schedule", ONE, **key())
    assert api.get(f"/posts/{id}").data["versions"][0]["figures"] == []
    go_on(DUE, minutes=1)
    remote = RemotePost.objects.get()
    reactions.keep(post=remote, values={"likes": 3}, at=DUE + timedelta(hours=1), how="hand")
    reactions.keep(post=remote, values={"likes": 0}, at=DUE + timedelta(hours=2), how="network")
    told = {one["name"]: one for one in api.get(f"/posts/{id}").data["versions"][0]["figures"]}
    assert told["likes"] == {"name": "likes", "value": 0, "at": "2026-11-23T14:00:00Z", "how": "network"}
    assert told["views"] == {"name": "views", "value": None, "at": None, "how": ""}


def test_an_idea_becomes_one_post(api, brand, alba, account, begin):
    idea = ideas.add(brand=brand, by=alba, at=NOON, title="Masa madre")
    told = begin(idea_id=idea.pk)
    assert (told["title"], told["idea_id"], told["parts"][0]["text"]) == ("Masa madre", idea.pk, "Pan de pueblo")
    again = api.post("/posts", {"parts": [{"text": "Otra"}], "idea_id": idea.pk}, **key())
    assert (*code(again), again.data["error"]["post_id"]) == (409, "has_post", told["id"])
    assert Post.objects.count() == 1
    api.delete(f"/posts/{told['id']}/schedule")
    assert begin(idea_id=idea.pk)["id"] != told["id"], "a cancelled post gives its idea back"


def test_nothing_of_another_brand_can_be_put_into_a_post(api, account, account_of, other_brand, carla, begin):  # noqa: F811
    theirs = account_of(of=other_brand)
    idea = ideas.add(brand=other_brand, by=carla, at=NOON, title="Tornillos")
    campaign = strategy.begin(brand=other_brand, by=carla, at=NOON, name="T", goal="T", owner=carla)
    media = Media.objects.create(
        brand=other_brand, digest="0" * 64, name="t.png", type="image/png", size=1, width=1, height=1,
        created_by_id=carla.pk, created_at=NOON,
    )  # fmt: skip
    post = begin()
    for said in (
        {"versions": [{"channel_id": theirs.pk}]},
        {"parts": [{"text": "", "pictures": [{"id": media.pk}]}]},
        {"campaign_id": campaign.pk},
        {"idea_id": idea.pk},
    ):
        assert api.post("/posts", said, **key()).status_code == 422, said
        if "idea_id" not in said:
            assert api.put(f"/posts/{post['id']}", {**said, "revision": 1}).status_code == 422, said
    assert [one.title for one in Post.objects.all()] == ["Pan de pueblo"]
    assert Post.objects.get().revision == 1


def test_lists_are_narrowed_down_and_read_on(api, brand, account, account_of, begin):  # noqa: F811
    other = account_of(name="Blog")
    campaign = strategy.begin(brand=brand, by=person("Eva", brand), at=NOON, name="Pan", goal="Pan", owner=None)
    made = [begin(f"Pan número {n}", on=f"2026-12-0{n}", time="09:00")["id"] for n in range(1, 6)]
    begin("Sin fecha", versions=[{"channel_id": other.pk}], campaign_id=campaign.pk)
    seen, after = [], ""
    while after is not None:
        page = api.get(f"/posts?first=2026-12-02&last=2026-12-04&limit=2&after={after}").data
        seen += [one["id"] for one in page["items"]]
        after = page["next"]
    assert seen == made[3:0:-1]
    for query in (f"channel_id={other.pk}", f"campaign_id={campaign.pk}"):
        assert [one["title"] for one in api.get(f"/posts?{query}").data["items"]] == ["Sin fecha"]
    assert len(api.get("/posts?state=draft").data["items"]) == 6
    api.put(f"/posts/{made[0]}/schedule", {"on": "2026-12-01", "time": "09:00"}, **key())
    api.delete(f"/posts/{made[1]}/schedule")
    for named, ids in (("scheduled", made[:1]), ("cancelled", made[1:2]), ("draft", [*made[4:1:-1]])):
        found = [one["id"] for one in api.get(f"/posts?state={named}&first=2026-12-01").data["items"]]
        assert found == ids, named


@pytest.mark.parametrize(
    "query",
    ["state=lost", "channel_id=0", "first=ayer", "last=9999-12-31", "first=0001-01-01&last=x", "limit=0", "after=x",
     "from=2026-12-01"],
)  # fmt: skip
def test_parameters_of_posts_that_make_no_sense_are_refused(api, query):
    assert code(api.get(f"/posts?{query}")) == (422, "invalid")


BAD = {
    "versions.0.channel_id": {"versions": [{"channel_id": "1"}]},
    "versions": {"versions": [{"channel_id": 1}, {"channel_id": 1}]},
    "parts.0.text": {"parts": [{"text": None}]},
    "parts.0.html": {"parts": [{"text": "", "html": ""}]},
    "parts": {"parts": [{"text": "a"}] * 51},
    "time": {"on": "2026-12-01"},
    "on": {"time": "09:30"},
    "poll.options": {"poll": {"options": []}},
    "poll.options.0": {"poll": {"options": [""]}},
    "poll.seconds": {"poll": {"options": ["a"], "seconds": 0}},
    "state": {"state": "published"},
    "created_by_id": {"created_by_id": 1},
    "title": {"title": "x" * 201},
    "idea_id": {"idea_id": 999_999},
    "campaign_id": {"campaign_id": 0},
}


@pytest.mark.parametrize("field", BAD)
def test_bodies_of_posts_are_read_strictly(api, field):
    answer = api.post("/posts", BAD[field], **key())
    assert (answer.status_code, list(answer.data["error"]["fields"])) == (422, [field])
    assert (Post.objects.count(), KeptAnswer.objects.count()) == (0, 0)


@pytest.mark.parametrize("at", ["9:30", "25:00", "09:30:00", "0930 ", 930, None, "٠٩:٣٠"])
def test_a_time_on_the_wall_is_one(api, begin, at):
    answer = api.put(f"/posts/{begin()['id']}/schedule", {"on": "2026-12-01", "time": at}, **key())
    assert (answer.status_code, list(answer.data["error"]["fields"])) == (422, ["time"])


@pytest.mark.parametrize("on", ["0001-01-01", "9999-12-31", "2026-02-30"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_days_at_the_ends_of_time_are_refused(api, begin, on, zone):
    said = {"on": on, "time": "23:59", "zone": zone}
    assert api.put(f"/posts/{begin()['id']}/schedule", said, **key()).status_code == 422
    assert api.post("/posts", {"parts": [{"text": "Pan"}], **said}, **key()).status_code == 422


@pytest.fixture
def slots(account, alba):
    """On Tuesdays and Thursdays at nine, of which one a week is promised."""
    asked = rhythm.Rhythm(2, date(2026, 11, 23), [], frozenset({(1, time(9)), (3, time(9))}))
    rhythm.settle(account=account, rhythm=asked, by=alba, at=NOON)


def test_the_queue_takes_the_next_free_slot_and_the_doors_tell_what_is_left(api, account, slots, begin):
    free = [(one["on"], one["time"]) for one in api.get("/slots?days=8").data["items"]]
    assert free == [("2026-11-24", "09:00"), ("2026-11-26", "09:00")]
    assert {one["on"] for one in api.get("/holes").data["items"]} >= {"2026-11-24", "2026-11-26"}
    first, second, third = (begin(text)["id"] for text in ("Pan", "Bollos de crema", "Torta de anís"))
    told = api.put(f"/posts/{first}/queue", **key("q")).data
    assert (told["state"], told["publish_at"]) == ("scheduled", "2026-11-24T08:00:00Z")
    assert api.put(f"/posts/{first}/queue", **key("q")).data == told
    assert code(api.put(f"/posts/{first}/queue", **key())) == (422, "refused")
    taken = {"on": "2026-11-24", "time": "09:00"}
    assert code(api.put(f"/posts/{second}/queue", taken, **key())) == (422, "refused")
    assert api.put(f"/posts/{second}/queue", **key()).data["on"] == "2026-11-26"
    assert api.get("/slots?days=8").data["items"] == []
    assert api.get(f"/slots?days=14&channel_id={account.pk}").data["items"][0] == {
        "channel_id": account.pk, "on": "2026-12-01", "time": "09:00", "publish_at": "2026-12-01T08:00:00Z"
    }  # fmt: skip
    assert all(one["on"] >= "2026-12-01" for one in api.get("/holes").data["items"])
    assert api.put(f"/posts/{third}/queue", {"on": "2026-12-03", "time": "09:00"}, **key()).data["on"] == "2026-12-03"
    assert Promise.objects.count() == 1


def test_without_slots_the_queue_says_so(api, begin):
    assert api.get("/slots").data == api.get("/holes").data == {"items": [], "next": None}
    answer = api.put(f"/posts/{begin()['id']}/queue", **key())
    assert code(answer) == (422, "refused")


def test_while_everything_is_stopped_a_post_says_so(api, brand, alba, begin):
    id = begin()["id"]
    assert not api.get(f"/posts/{id}").data["is_stopped"]
    actions.stop(brand=brand, by=alba, at=NOON)
    assert api.get(f"/posts/{id}").data["is_stopped"]
    assert Stop.objects.count() == 1


def test_a_picture_is_brought_with_its_description_and_found_again(network, api, brand):  # noqa: F811
    answer = api.upload("/media", "hogaza.png", png(4, 5), alt="Una hogaza")
    told = answer.data
    assert (answer.status_code, told["name"], told["alt"]) == (201, "hogaza.png", "Una hogaza")
    assert (told["width"], told["height"], told["type"]) == (4, 5, "image/png")
    again = api.upload("/media", "otra.png", png(4, 5)).data
    assert (again, Media.objects.count()) == (told, 1)
    assert api.get(f"/media/{told['id']}").data == told
    assert [one["id"] for one in api.get("/media?q=hogaza").data["items"]] == [told["id"]]
    assert api.get("/media?q=tornillo").data["items"] == []


def test_what_is_no_picture_is_refused(network, api, monkeypatch):  # noqa: F811
    assert code(api.upload("/media", "a.png", b"no")) == (422, "not_a_picture")
    assert code(api.upload("/media", "a.png", png()[:-9])) == (422, "not_a_picture")
    assert list(api.upload("/media", "a.png", png(), owner="x").data["error"]["fields"]) == ["owner"]
    assert list(api.upload("/media", "a.png", png(), alt="x" * 1501).data["error"]["fields"]) == ["alt"]
    assert list(api.post("/media", {"alt": "x"}).data["error"]["fields"]) == ["file"]
    monkeypatch.setattr("tertulia.publishing.library.LARGEST", 10)
    assert code(api.upload("/media", "a.png", png())) == (413, "too_large")
    assert Media.objects.count() == 0


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x"]
)
def test_a_form_that_is_broken_is_refused(api, kind):
    headers = {"Authorization": f"Bearer {api.secret}"}
    answer = api.client.generic("POST", "/api/v1/media", b"--x\r\nno", content_type=kind, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.json()["error"]["code"] in {"unreadable", "invalid"}


def test_a_model_is_told_apart_and_never_leaves(api, brand, alba, account, begin):
    id = begin()["id"]
    rule = series.Rule(time=time(9), zone="Europe/Madrid", starts_on=date(2026, 11, 24))
    series.begin(brand=brand, post=Post.objects.get(pk=id), rule=rule, by=alba, at=NOON)
    told = {one["id"]: one["is_model"] for one in api.get("/posts").data["items"]}
    assert told[id]
    assert not all(told.values())
    assert code(api.put(f"/posts/{id}/publication", **key())) == (422, "refused")
