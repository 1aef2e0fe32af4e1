"""Every address, by every kind of stranger, with every method; with foreign ids in the address and in the body.

The addresses come from the URL configuration: a new one whose arguments nobody has told this file about fails, and so
does one that is neither behind `@brand_required` nor named below as open to others. What must not happen is judged by
the database: the rows of the attacked brand stay as they are, to the byte.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client

from conftest import NOON, person
from tertulia.brand.models import Brand
from tertulia.inbox.models import Conversation
from tertulia.team.models import Membership, User
from tertulia.team.permissions import PERMISSIONS, Role
from world import World, addresses, fill

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

METHODS = ["get", "head", "post", "put", "patch", "delete", "options"]
REFUSALS = {301, 302, 400, 401, 403, 404, 405, 410, 422, 429}

OPEN = {
    # name: why it is open, and what guards it instead
    "home": "sends everybody where they belong",
    "healthz": "for monitors",
    "readyz": "for monitors",
    "metrics": "for monitors that bring the token of the settings",
    "setup": "guarded by the one-time token",
    "widget": "the script of the public chat",
    "visitor_hello": "the public chat; origin list, rate limit",
    "visitor_messages": "the public chat; signed visitor, origin list, rate limit",
    "news": "the company's news, for everybody",
    "news_item": "the company's news, for everybody",
    "news_picture": "a picture of what is out, for everybody",
    "news_rss": "the company's news, for everybody",
    "news_json": "the company's news, for everybody",
    "news_script": "the script that shows the news",
    "newsletter_door": "asks by mail; time trap, hidden field, rate limit",
    "subscription": "guarded by the subscriber's own token",
    "subscription_end": "guarded by the subscriber's own token; takes only a POST",
    "webhook": "the connector verifies the signature",
    "short_link": "leads where the database says; counts without cookies",
    "pixel": "a shop reports an order; the brand's key, a limit a day, taken for hearsay",
    "shop": "the sample shop, for sample brands only",
    "invitation": "guarded by the one-time token",
    "guest": "guarded by the token of the link; one post, until it ends",
    "guest_media": "guarded by the token of the link; that post's pictures",
    "kit": "guarded by the token of the link; what is out of one post or campaign, until it ends; rate limit",
    "kit_picture": "guarded by the token of the link; the pictures that page shows",
    "set_language": "changes the visitor's own cookie",
    "calendar_feed": "a person's own calendar reads it; guarded by the secret in the address and the right behind it",
    "openapi-json": "describes the API, holds no data",
    "openapi-view": "describes the API, holds no data",
}
CALLED = {"webhook", "visitor_hello", "visitor_messages", "newsletter_door", "subscription", "subscription_end"}
"""Open, and by nobody's cookie: they need no token against requests from elsewhere."""
OWN = {
    # for anybody who is signed in, about themselves
    "profile",
    "appearance",
    "another_brand",
    "new_brand",
    "consent_back",  # what they began themselves, in this session: tests/channels/test_consents.py
}
BRAND_PATHS = (
    "brand",
    "account__brand",
    "conversation__brand",
    "membership__brand",
    "member__brand",
    "webhook__brand",
    "message__account__brand",
    "source__brand",
    "post__brand",
    "list__brand",
    "subscriber__list__brand",
    "post__account__brand",
    "part__post__brand",
    "rule__brand",
    "request__post__brand",
    "link__brand",
    "version__post__brand",
    "series__brand",
    "evergreen__brand",
    "plan__brand",
    "objective__plan__brand",
    "action__plan__brand",
    "testimonial__brand",
    "relay__brand",
    "kit__brand",
)


@pytest.fixture(scope="module")
def furnished(of_the_file) -> World:
    brand = Brand.objects.create(name="Horno Candela", slug="horno-candela", region="MD", created_at=NOON)
    return World(brand, person("Alba", brand, is_fallback=True), name="horno")


@pytest.fixture
def world(furnished, db) -> World:
    return deepcopy(furnished)


@pytest.fixture
def brand(world) -> Brand:
    return world.brand


@pytest.fixture
def alba(world) -> User:
    return world.owner


@pytest.fixture(autouse=True)
def counted(monkeypatch, record_property):
    """So many requests were tried: for `make prove`."""
    tried, request = 0, Client.request

    def count(client, **said):
        nonlocal tried
        tried += 1
        return request(client, **said)

    monkeypatch.setattr(Client, "request", count)
    yield
    record_property("tried", tried)


ROUTES = addresses()
BRANDED = [(route, pattern) for route, pattern in ROUTES if hasattr(pattern.callback, "permission")]


def path_to_brand(model) -> str:
    """By which of the paths a row of this table belongs to a brand; empty for none."""

    def leads(path: str) -> bool:
        here = model
        for name in path.split("__"):
            if here is None or name not in {field.name for field in here._meta.fields}:
                return False
            here = here._meta.get_field(name).related_model
        return True

    return next((path for path in BRAND_PATHS if leads(path)), "")


Question = tuple[str, tuple[object, ...]]


def answers(question: Question) -> list[list[object]]:
    with connection.cursor() as cursor:
        cursor.execute(*question)
        return [[bytes(one) if isinstance(one, memoryview) else one for one in row] for row in cursor.fetchall()]


@cache
def of_brand(pk: int) -> dict[str, Question]:
    """What to ask for every row that belongs to the brand, by table. Django takes longer to think up the statement than
    the database to answer it, so it does so once."""
    paths = {model: path_to_brand(model) for model in apps.get_models() if model.__module__.startswith("tertulia")}
    rows = {
        model._meta.label: model.objects.filter(**{path: pk}).order_by("pk") for model, path in paths.items() if path
    }
    rows["brand"] = Brand.objects.filter(pk=pk)
    return {label: found.values_list().query.sql_with_params() for label, found in rows.items()}


def dump(brand) -> dict[str, str]:
    """Every row that belongs to the brand, by table."""
    return {label: str(answers(question)) for label, question in of_brand(brand.pk).items()}


def unchanging(rows: dict[str, str]) -> dict[str, str]:
    """Without what a mere look may touch: who is present, what was read."""
    return {
        label: text for label, text in rows.items() if label not in {"inbox.Presence", "inbox.Read", "listening.Mark"}
    }


def writes() -> int:
    """How many rows this connection has changed up to now. Where it is the same as before, so is every dump: taking one
    asks a hundred tables."""
    if connection.vendor == "sqlite":
        return connection.connection.total_changes
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
        return int(cursor.fetchone()[0] or 0)


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user)
    return client


def attack(client: Client, route: str, arguments, body) -> dict[str, int]:
    """The status each method answers with."""
    return {method: getattr(client, method)(fill(route, arguments), data=body).status_code for method in METHODS}


def test_every_address_is_guarded_or_known_to_be_open():
    loose = [
        route
        for route, pattern in ROUTES
        if not hasattr(pattern.callback, "permission") and pattern.name not in OPEN and pattern.name not in OWN
    ]
    assert loose == []


def test_every_guard_names_a_permission_that_exists():
    assert {pattern.callback.permission for _, pattern in BRANDED} <= set(PERMISSIONS)


@pytest.mark.proof_heavy
def test_nobody_who_is_not_signed_in_gets_in(world):
    before = dump(world.brand)
    for route, _ in BRANDED:
        for method, status in attack(Client(), route, world.arguments(), world.body()).items():
            assert status in REFUSALS, (method, route, status)
    assert dump(world.brand) == before


@pytest.mark.proof_heavy
def test_strangers_and_other_brands_find_nothing_there(world, carla, other_brand):
    stranger = User.objects.create_user("nadie@example.com", "x", name="Nadie")
    before = dump(world.brand)
    for user in (stranger, carla):
        client = signed_in(user)  # who is signed out on the way is sent to the sign-in page, which is none of these
        for route, _ in BRANDED:
            for method, status in attack(client, route, world.arguments(), world.body()).items():
                assert status in {404, 405}, (user.name, method, route, status)
    assert dump(world.brand) == before


@pytest.mark.proof_heavy
def test_foreign_ids_under_ones_own_brand_are_not_found(world, carla, other_brand):
    before = dump(world.brand)
    client = signed_in(carla)
    for route, _ in BRANDED:
        if "_id>" not in route:
            continue
        arguments = {**world.arguments(), "brand": other_brand.slug}
        for method, status in attack(client, route, arguments, world.body()).items():
            assert status in {404, 405}, (method, route, status)
    assert dump(world.brand) == before


SENSIBLE = {
    # what else a form asks for, so that it isn't refused for that before it looks at an id
    "first_response_minutes": "60", "resolution_minutes": "600", "starts": "09:00", "ends": "10:00", "time": "10:00",
    "starts_on": "2027-01-01", "ends_on": "2027-01-02", "day": "2027-01-01", "new_day": "1", "new_time": "10:00",
    "phone": "600111222", "direction": "in", "person_name": "intruso", "person": "", "when": "2027-01-01T10:00",
    "capacity": "5", "level": "2", "language": "es", "time_zone": "Europe/Madrid", "zone": "Europe/Madrid",
    "country": "ES", "region": "MD", "treatment": "tu", "undo_seconds": "10", "colour": "#336699", "hue": "200",
    "scopes": ["conversations:read"], "types": ["conversation.received"], "lasts": "30", "texts": "intruso",
    "basis": "Feria", "model": "m", "seconds": "5", "monthly_tokens": "10", "goal": "intruso", "note": "intruso",
    "shape": "every", "every": "1", "weekdays": ["1"], "rest_days": "30", "most": "3", "days": "7", "then": "queue",
    "known": "1", "source": "red", "medium": "post", "content": "a", "message": "intruso", "theme": "light",
}  # fmt: skip


@pytest.mark.proof_heavy
def test_foreign_ids_in_the_body_change_nothing_over_there(world, carla, other_brand):
    own = World(other_brand, carla, name="ferreteria")
    before = unchanging(dump(world.brand))
    client = signed_in(carla)
    went_through = 0
    for route, _ in BRANDED:
        for method in ("post", "put", "patch", "delete"):
            for body in (world.body(), {**SENSIBLE, **world.body()}) if method == "post" else (world.body(),):
                savepoint, written = transaction.savepoint(), writes()
                status = getattr(client, method)(fill(route, own.arguments()), data=body).status_code
                assert status < 500, (method, route, status)
                went_through += status < 400
                if writes() != written:
                    assert unchanging(dump(world.brand)) == before, (method, route)
                    assert not mixed(world.brand, other_brand), (method, route)
                transaction.savepoint_rollback(savepoint)
    assert went_through > 50, "most have to get as far as to an id"


@pytest.mark.parametrize("is_saved", [True, False])
def test_what_is_written_is_counted(brand, is_saved):
    before = writes()
    brand.save() if is_saved else brand.refresh_from_db()
    assert (writes() > before) is is_saved


def mixed(one, another) -> list[str]:
    """Where a row of one brand has got hold of something of the other, by whatever key leads there."""
    return [name for name, question in of_both(one.pk, another.pk).items() if answers(question)]


@cache
def of_both(one: int, another: int) -> dict[str, Question]:
    ours = Membership.objects.filter(brand=one).values("user")
    found = {
        "owner": Conversation.objects.filter(brand=another, owner__in=ours),
        "membership": Membership.objects.filter(brand=another, user__in=ours),
    }
    for model in apps.get_models():
        path = model.__module__.startswith("tertulia") and path_to_brand(model)
        for field in model._meta.fields if path else ():
            if path.startswith(f"{field.name}__") or not field.is_relation:
                continue  # what makes it a row of the brand
            if there := path_to_brand(field.related_model):
                mine = {path: another, f"{field.name}__{there}": one}
                found[f"{model._meta.label}.{field.name}"] = model.objects.filter(**mine)
    return {name: rows.order_by().values_list("pk")[:1].query.sql_with_params() for name, rows in found.items()}


@pytest.mark.proof_heavy
@pytest.mark.parametrize("role", list(Role))
def test_a_role_without_the_right_is_refused(world, brand, role):
    user = person(f"R{role}", brand, role)
    before = dump(brand)
    client = signed_in(user)
    for route, pattern in BRANDED:
        if role in PERMISSIONS[pattern.callback.permission]:
            continue
        for method, status in attack(client, route, world.arguments(), world.body()).items():
            assert status in {403, 405}, (role, method, route, status)
    assert dump(brand) == before


@pytest.mark.proof_heavy
def test_a_look_changes_nothing(world, alba):
    before, client = unchanging(dump(world.brand)), signed_in(alba)
    for route, pattern in BRANDED:
        if pattern.name == "notification":  # following a notification marks it as read
            continue
        has_written = False
        for method in ("get", "head", "options"):
            written = writes()
            status = getattr(client, method)(fill(route, world.arguments())).status_code
            assert status in {200, 204, 302, 404, 405}, (method, route, status)
            has_written |= writes() != written
        assert not has_written or unchanging(dump(world.brand)) == before, route
    assert "_auth_user_id" in client.session, "to the end somebody looked who may"
    assert unchanging(dump(world.brand)) == before


@pytest.mark.proof_heavy
def test_every_change_needs_the_forms_token(world, alba):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alba)
    before = unchanging(dump(world.brand))
    for route, pattern in ROUTES:
        if getattr(pattern.callback, "csrf_exempt", False):
            assert pattern.name in CALLED, route
            continue
        for method in ("post", "put", "patch", "delete"):
            status = getattr(client, method)(fill(route, world.arguments()), data=world.body()).status_code
            assert status in {403, 404, 405}, (method, route, status)
    assert unchanging(dump(world.brand)) == before


@pytest.mark.proof_heavy
def test_pages_of_signed_in_people_are_stored_by_no_cache_and_carry_the_headers(world, alba):
    client = signed_in(alba)
    for route, _ in BRANDED:
        answer = client.get(fill(route, world.arguments()))
        if answer.status_code != 200:
            continue
        assert "no-store" in answer["Cache-Control"], route
        assert answer["X-Content-Type-Options"] == "nosniff", route
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy, route
        assert "unsafe" not in policy, route
        assert "frame-ancestors 'none'" in policy or "sandbox" in policy, route


@pytest.mark.proof_heavy
@pytest.mark.parametrize("odd", ["0", "-1", "99999999999999999999", "1%00", "1;drop", "..%2f..%2fetc%2fpasswd", "٣"])
def test_odd_ids_are_not_found(world, alba, odd):
    client = signed_in(alba)
    for route, _ in BRANDED:
        if "<int:" not in route:
            continue
        arguments = {name: (odd if name.endswith("_id") else value) for name, value in world.arguments().items()}
        assert client.get(fill(route, arguments)).status_code in {404, 405}, route
