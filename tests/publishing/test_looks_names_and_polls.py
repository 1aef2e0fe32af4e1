"""Whom a text names becomes what each network calls them, polls go where there are any, and a preview shows all of it
as its network would."""

import pytest
from publishing_cast import *  # noqa: F403
from publishing_cast import ONE_O_CLOCK
from time_machine import travel

from conftest import NOON
from tertulia.channels.models import Account, Delivery
from tertulia.connectors.contract import Look, Poll
from tertulia.core import tables
from tertulia.publishing import actions, checks, exchange, handles, previews, writing
from tertulia.publishing.models import Handle, Post
from tertulia.publishing.problems import Unfit
from tertulia.publishing.saying import Piece, Wanted
from tertulia.publishing.writing import Sheet, Writing

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
ASKED = Poll(("Sí", "No"), 3600)


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def on_the_net(brand):
    def make(kind: str, **settings) -> Account:
        return Account.objects.create(brand=brand, kind=kind, name=kind.title(), created_at=NOON, settings=settings)

    return make


@pytest.fixture
def lola(brand, alba):
    addresses = {"mastodon": "lola@mastodon.social", "bluesky": "lola.bsky.social", "x": "lola"}
    return handles.keep(brand=brand, handle=None, name="Obrador  Lola", addresses=addresses, by=alba, at=NOON)


def said(*accounts: Account, text: str = "Pan con @{obrador lola}.", **more) -> Writing:
    return Writing(
        accounts=[one.pk for one in accounts], sheets={0: Sheet([Piece(text)])}, zone="Europe/Madrid",
        on="2026-11-24", time="13:00", **more,
    )  # fmt: skip


def looked(brand, written: Writing) -> checks.Checked:
    return checks.check(written, brand=brand, post=None, at=NOON)


def test_each_account_names_her_as_its_network_knows_her(brand, alba, lola, on_the_net):
    x, blog = on_the_net("manual", platform="X"), on_the_net("site")
    nets = [on_the_net("mastodon"), on_the_net("bluesky"), x, blog, on_the_net("telegram")]
    versions = {one.pk: Wanted(hints=(("title", "Pan"),) if one == blog else ()) for one in nets}
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan con @{obrador lola}.")], versions=versions)
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
    actions.schedule(post=post, by=alba, at=NOON)
    leaves = {row.account.kind: row.post.draft["text"] for row in Delivery.objects.select_related("account", "post")}
    assert leaves == {
        "mastodon": "Pan con @lola@mastodon.social.", "bluesky": "Pan con @lola.bsky.social.",
        "manual": "Pan con @lola.",
        "site": "Pan con obrador lola.", "telegram": "Pan con obrador lola.",
    }  # fmt: skip
    assert post.title == "Pan con obrador lola."


def test_what_is_counted_is_the_name_that_leaves(brand, alba, lola, on_the_net):
    mastodon, bluesky = on_the_net("mastodon"), on_the_net("bluesky")
    shown = looked(brand, said(bluesky, mastodon, text="@{Obrador Lola}")).previews
    assert [one.parts[0].length for one in shown] == [len("@lola.bsky.social"), len("@lola")]
    long = [Piece("n" * 283 + " @{Obrador Lola}")]
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=long, versions={bluesky.pk: Wanted()})
    with pytest.raises(Unfit):
        actions.publish_now(post=post, by=alba, at=NOON)


def test_it_is_said_where_only_the_plain_name_is_published(brand, lola, on_the_net):
    blog, mastodon = on_the_net("site"), on_the_net("mastodon")
    said_first = looked(brand, said(blog, mastodon, text="@{Obrador Lola} y @{Nadie}")).lines
    told = [(line.tone, line.says) for line in said_first if "Lola" in line.says or "Nadie" in line.says]
    assert sorted(told) == [
        ("note", "Site: Obrador Lola no tiene nombre allí: se publica su nombre tal cual."),
        ("soon", "En los nombres en las redes no hay nadie que se llame Nadie: se publica el nombre tal cual."),
    ]


def test_a_name_is_kept_as_its_network_writes_it_and_only_once(brand, as_alba, on_the_net):
    on_the_net("bluesky")
    home, field = f"/b/{brand.slug}/settings/names/", f"on-{b'bluesky'.hex()}"
    wrong = as_alba.post(home, {"name": "Obrador Lola", field: "lola"})
    assert (wrong.status_code, "Escríbelo como en @lola.bsky.social." in wrong.content.decode()) == (422, True)
    as_alba.post(home, {"name": "Obrador Lola", field: "@lola.bsky.social"})
    assert as_alba.post(home, {"name": "obrador  lola"}).status_code == 422
    handle = Handle.objects.get()
    assert handle.addresses == {"bluesky": "lola.bsky.social"}
    as_alba.post(f"{home}{handle.pk}/", {"name": "Lola", field: ""})
    handle.refresh_from_db()
    assert (handle.name, handle.addresses) == ("Lola", {})


def test_a_table_of_posts_is_measured_with_the_names_that_leave(brand, alba, lola, on_the_net):
    on_the_net("bluesky")
    text = "n" * 286 + " @{Obrador Lola}"
    table = tables.read(f"Texto;Cuentas;Fecha;Hora\n{text};Bluesky;2026-11-24;13:00\n".encode())
    ((_line, why),) = exchange.check(table, brand=brand, schedules=True, at=NOON).problems
    assert why == "Bluesky: Es demasiado largo: 304 de 300."


# Polls.


def test_a_poll_goes_where_there_are_polls_and_the_others_are_told_of(brand, alba, on_the_net):
    mastodon, bluesky = on_the_net("mastodon"), on_the_net("bluesky")
    written = said(mastodon, bluesky, text="¿Espelta?", poll=ASKED)
    (missing,) = [line.says for line in looked(brand, written).lines]
    assert missing == "Bluesky no tiene encuestas: allí sale sin ella. Sus opciones se pueden escribir en el texto."
    post, _odd = writing.hand_in(brand=brand, post=None, writing=written, then="schedule", by=alba, at=NOON)
    leaves = {row.account.kind: row.post.draft for row in Delivery.objects.select_related("account", "post")}
    assert leaves["mastodon"]["poll"] == {"options": ["Sí", "No"], "seconds": 3600, "multiple": False}
    assert "poll" not in leaves["bluesky"]
    assert writing.from_post(post).poll == ASKED


def test_its_options_are_written_into_the_text_of_a_network_without_polls(brand, as_alba, on_the_net):
    bluesky = on_the_net("bluesky")
    form = {
        "text": "¿Espelta?", "accounts": [bluesky.pk], "option": ["Sí", "", "No"], "poll_seconds": "3600",
        "do": f"options.{bluesky.pk}",
    }  # fmt: skip
    page = as_alba.post(f"/b/{brand.slug}/posts/beginning/draft/", form, **HTMX).content.decode()
    assert f'name="text.{bluesky.pk}"' in page
    assert "¿Espelta?\n\n1. Sí\n2. No" in page
    assert "no tiene encuestas" not in page


def test_a_poll_with_a_picture_and_one_past_the_servers_limits_stay_here(brand, network, picture, on_the_net):
    mastodon = on_the_net("mastodon", polls={"most": 2, "longest": 5})
    written = said(mastodon, text="¿Espelta?", poll=Poll(("Uno", "Dos", "Tres muchos"), 3600))
    written.change(f"use-0-{picture.pk}")
    assert [line.says for line in looked(brand, written).lines] == [
        "Mastodon: Lleva una encuesta e imágenes: aquí solo cabe una de las dos cosas.",
        "Mastodon: La encuesta tiene demasiadas opciones: 3 de 2.",
        "Mastodon: Una opción de la encuesta es demasiado larga, 11 de 5 caracteres: Tres muchos",
    ]


def test_a_changed_poll_is_a_change_and_the_same_one_is_none(brand, alba, as_alba, on_the_net):
    mastodon = on_the_net("mastodon")
    form = {"text": "¿Espelta?", "accounts": [mastodon.pk], "option": ["Sí", "No"], "poll_seconds": "3600"}
    as_alba.post(f"/b/{brand.slug}/posts/beginning/", form)
    post = Post.objects.get()
    for options, revision in ((["Sí", "No"], 1), (["Sí", "Nunca"], 2), ([], 3)):
        as_alba.post(f"/b/{brand.slug}/posts/{post.pk}/text/", form | {"option": options, "seen": post.revision})
        post.refresh_from_db()
        assert post.revision == revision
    assert post.parts.get().poll is None


# How it looks.


@pytest.mark.parametrize(
    ("look", "text", "head"),
    [
        (Look(signs=10), "Pan de pueblo", "Pan de"),
        (Look(signs=10), "Panaderías1", "Panaderías"),
        (Look(signs=13), "Pan de pueblo", "Pan de pueblo"),
        (Look(lines=2, over=3), "a\nb\nc\nd", "a\nb"),
        (Look(lines=2, over=3), "a\nb\nc", "a\nb\nc"),
        (Look(lines=1, over=1, wide=8), "uno dos tres", "uno dos "),
        (Look(), "n" * 9000, "n" * 9000),
    ],
)
def test_a_text_is_cut_where_its_network_cuts_it(look, text, head):
    shown, rest = previews.cut(text, look)
    assert shown == head
    assert (shown + rest).replace("\n", "") == text.replace("\n", "")


def test_links_names_and_tags_have_the_networks_marks():
    text = "Con @lola@mastodon.social, @lola.bsky.social y #pan2026 (#1) en https://horno.example/#pan, a@b.es."
    marks = [(run.kind, run.text) for run in previews.runs(text) if run.kind != "text"]
    assert marks == [
        ("mark", "@lola@mastodon.social"), ("mark", "@lola.bsky.social"), ("mark", "#pan2026"),
        ("link", "https://horno.example/#pan"),
    ]  # fmt: skip
    assert "".join(run.text for run in previews.runs(text)) == text


def test_a_preview_shows_headline_warning_handle_card_and_only_what_is_safe(brand, as_alba, on_the_net):
    mastodon, blog = on_the_net("mastodon", handle="horno", server="https://mastodon.social"), on_the_net("wordpress")
    form = {
        "text": "<b>Pan</b> https://horno.example/hoy", "accounts": [mastodon.pk, blog.pk],
        f"title.{blog.pk}": "Titular",
    }  # fmt: skip
    page = as_alba.post(f"/b/{brand.slug}/posts/beginning/draft/", form, **HTMX).content.decode()
    assert "&lt;b&gt;Pan&lt;/b&gt;" in page
    assert "@horno@mastodon.social" in page
    assert '<h3 class="seen__headline">Titular</h3>' in page
    assert page.count('class="seen__card"') == 1
    page = as_alba.post(f"/b/{brand.slug}/posts/beginning/draft/", form | {f"warning.{mastodon.pk}": "Gluten"}, **HTMX)
    assert "Gluten" in page.content.decode()
    assert "seen__card" not in page.content.decode()
