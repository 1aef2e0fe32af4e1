"""What became of a post: its figures against the usual, what people said, by hand, by file, and what nobody told."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from time_machine import travel

from conftest import NOON, envelope
from tertulia.channels import reactions as facts
from tertulia.channels.models import Account, Delivery, Message, PostMetric, RemotePost
from tertulia.connectors.contract import About
from tertulia.core.models import Activity
from tertulia.flows import inbound
from tertulia.publishing import actions, figures_file, reactions
from tertulia.publishing.models import Post
from tertulia.publishing.problems import Problem
from tertulia.publishing.saying import Piece, Wanted
from tertulia.understanding import actions as understanding
from tertulia.understanding.models import MessageReading

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def at_noon_in_english():
    with travel(NOON, tick=False), translation.override("en"):
        yield


@pytest.fixture
def account(brand):
    return Account.objects.create(brand=brand, kind="manual", name="TikTok", created_at=NOON)


@pytest.fixture
def out(brand, alba, account):
    """`out(3, likes=5)`: a post that has been out for three days, and what it had after one."""

    def publish(days: int, text: str = "Pan de pueblo", on=None, **likes: int) -> tuple[Post, RemotePost]:
        said = {"pieces": [Piece(text)], "versions": {(on or account).pk: Wanted()}}
        post = actions.create(brand=brand, by=alba, at=NOON, **said)
        actions.publish_now(post=post, by=alba, at=NOON)
        delivery = Delivery.objects.get(post__in=post.versions.values("sendings__remote"))
        Delivery.objects.filter(pk=delivery.pk).update(state="sent")
        url = f"https://red.example/{post.pk}"
        RemotePost.objects.filter(pk=delivery.post_id).update(published_at=NOON - days * DAY, url=url)
        remote = RemotePost.objects.get(pk=delivery.post_id)
        if likes:
            facts.keep(post=remote, values=likes, at=NOON - days * DAY + DAY, how="hand")
        return post, remote

    return publish


def test_a_post_stands_beside_the_median_of_those_before_it_at_the_same_age(out, as_alba, brand):
    for days, likes in ((20, 8), (19, 10), (18, 12), (17, 9), (16, 300)):
        out(days, likes=likes)
    post, _remote = out(5, likes=30)
    out(2, likes=1_000)  # later ones are no yardstick
    sheet = reactions.sheets(post, zone=brand.time_zone)[0]
    assert sheet.says == "After 1 d: 30 reactions, 3.0 times the usual 10 (median of 5 earlier posts)."
    assert sheet.tone == "good"
    page = as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()
    assert "3,0 veces lo habitual" in page


def test_the_list_and_the_post_say_the_same_number(out, as_alba, brand):
    for days in range(20, 15, -1):
        out(days, likes=101)
    post, _remote = out(5, likes=148)
    assert "1,5 veces lo habitual" in as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()
    assert "× 1,5" in as_alba.get(f"/b/{brand.slug}/posts/reactions/").content.decode()


def test_with_four_posts_before_it_nothing_is_usual(out, brand):
    for days in (20, 19, 18, 17):
        out(days, likes=10)
    post, _remote = out(5, likes=30)
    sheet = reactions.sheets(post, zone=brand.time_zone)[0]
    assert sheet.says.startswith("Much or little? Not known yet: 4 earlier posts")
    assert sheet.tone == ""


def test_a_figure_nobody_told_is_a_dash_and_never_zero(out, brand):
    post, _remote = out(5, likes=0)
    lines = {line.name: line for line in reactions.sheets(post, zone=brand.time_zone)[0].lines}
    assert (lines["likes"].value, lines["likes"].why) == ("0", "")
    assert lines["views"].value == "–"
    assert lines["views"].why == "nobody wrote it down"


def test_where_nothing_is_known_no_figure_is_listed(out, as_alba, brand):
    post, remote = out(5)
    address = f"/b/{brand.slug}/posts/{post.pk}/"
    page = as_alba.get(address).content.decode()
    assert "Todavía no se sabe nada de ella." in page
    assert "reaction__figure" not in page
    facts.keep(post=remote, values={"likes": 3}, at=NOON, how="hand")
    assert "reaction__figure" in as_alba.get(address).content.decode()


def test_posts_without_a_figure_are_no_zeros_in_the_usual(out, brand):
    for days in range(20, 14, -1):
        out(days, likes=10)
    for days in range(14, 6, -1):
        out(days)
    post, _remote = out(5, likes=20)
    found = reactions.sheets(post, zone=brand.time_zone)[0].says
    assert "2.0 times the usual 10 (median of 6" in found


def test_sums_of_different_figures_are_not_compared(out, brand):
    for days in range(20, 14, -1):
        out(days, likes=10)
    post, _remote = out(5, likes=10, replies=90)
    assert "Not known yet" in reactions.sheets(post, zone=brand.time_zone)[0].says


def test_the_overview_begins_with_what_did_best_and_ends_with_what_nobody_knows(out, as_alba, brand):
    for days in range(20, 14, -1):
        out(days, likes=10)
    best, poor, unknown = out(5, "Mejor", likes=50), out(4, "Peor", likes=2), out(3, "Sin datos")
    rows, is_cut = reactions.overview(brand, since=NOON - 6 * DAY, until=NOON)
    assert [row.post for row in rows] == [best[0], poor[0], unknown[0]]
    assert (rows[0].tone, rows[1].tone, rows[2].reaction, is_cut) == ("good", "soon", None, False)
    assert as_alba.get(f"/b/{brand.slug}/posts/reactions/?days=7").status_code == 200


def test_what_people_said_under_it_is_counted_with_what_was_understood(out, account, as_alba, brand):
    post, remote = out(2)
    under = About("nothing-of-ours", url=remote.url)
    said = ["¿A qué hora abrís el domingo?", "Qué rico está, me encanta", "Fatal, mi pan llegó duro y nadie responde"]
    for number, text in enumerate(said):
        one = envelope(text, thread=f"t{number}", remote_id=f"c{number}", kind="comment", about=under)
        inbound.intake(account, [one], at=NOON)
    inbound.intake(
        account, [envelope("Bajo otra", thread="x", remote_id="x", kind="comment", about=About("y", url="https://y.example"))],
        at=NOON,
    )  # fmt: skip
    read = Message.objects.filter(remote_id__in=["c0", "c1", "c2"]).order_by("pk")
    understanding.read_messages(list(read), at=NOON)
    MessageReading.objects.filter(message__remote_id="c2").update(topics=["removed-since", "delivery"])
    found = reactions.said_under([remote], brand)
    assert (found.count, found.unread) == (3, 0)
    assert "delivery" in {share.name for share in found.topics}
    assert "removed-since" not in {share.name for share in found.topics}
    assert {share.name: share.count for share in found.feelings}["negative"] == 1
    assert sum(share.count for share in found.kinds) == 3
    assert [text for text, _message in found.questions] == [said[0]]
    assert {message.text for message in found.quotes} == set(said)
    page = as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()
    assert said[2] in page
    assert "Bajo otra" not in page


def write(client, brand, remote, **typed):
    delivery = Delivery.objects.get(post=remote)
    data = {f"r{remote.pk}-{name}": value for name, value in typed.items()}
    return client.post(f"/b/{brand.slug}/posts/deliveries/{delivery.pk}/figures/", data, follow=True)


def test_figures_are_written_down_by_hand_once_and_said_so(out, as_alba, brand):
    _post, remote = out(2)
    for _time in range(2):
        write(as_alba, brand, remote, at="2026-11-22T10:00", likes="0", views="1200")
    kept = PostMetric.objects.values_list("name", "value", "how")
    assert sorted(kept) == [("likes", 0, "hand"), ("views", 1200, "hand")]
    assert Activity.objects.filter(type="post.figures").count() == 1


@pytest.mark.parametrize(
    "typed",
    [
        {"at": "2026-11-22T10:00"},
        {"at": "2026-11-22T10:00", "likes": "-1"},
        {"at": "2030-01-01T10:00", "likes": "1"},
        {"at": "2026-11-01T10:00", "likes": "1"},
        {"at": "", "likes": "1"},
    ],
)
def test_what_cannot_be_is_not_kept(out, as_alba, brand, typed):
    _post, remote = out(2)
    assert "toast" in write(as_alba, brand, remote, **typed).content.decode()
    assert not PostMetric.objects.exists()


def read(brand, text):
    return figures_file.read(text, brand=brand, now=NOON)


def test_a_file_is_looked_through_then_kept_and_again_changes_nothing(out, as_alba, alba, brand):
    post, remote = out(9)
    text = (
        "Enlace;Fecha;Me gusta;Comentarios;Notas\r\n"
        f"{remote.url};16/11/2026 10:00;1.204;;x\r\n"
        f"{remote.url};17/11/2026;muchos;1;x\r\n"
        "https://nadie.example/;17/11/2026;1;1;x\r\n"
        f"{remote.url};18/11/2026;;;x\r\n"
    )
    home = f"/b/{brand.slug}/posts/reactions/file/"
    page = as_alba.post(home, {"file": SimpleUploadedFile("a.csv", text.encode("cp1252"))}).content.decode()
    assert not PostMetric.objects.exists()
    assert "muchos" in page
    file = read(brand, text)
    assert [row.line for row in file.bad] == [3, 4, 5]
    assert file.passed_over == ["Notas"]
    for _time in range(2):
        as_alba.post(f"{home}bringing/", {"text": text})
    assert list(PostMetric.objects.values_list("post", "name", "value", "how")) == [(remote.pk, "likes", 1204, "csv")]
    assert Activity.objects.filter(type="publishing.figures_brought").count() == 1


@pytest.mark.parametrize("text", ["", "a,b\n1,2", "url,at\nx,y", "url,at,likes,me gusta\n", '"' * 3])
def test_what_is_no_such_file_is_said(brand, text):
    with pytest.raises(Problem):
        read(brand, text)


def test_windows_writes_accents_its_own_way_and_a_sheet_is_no_csv():
    assert figures_file.text_of("publicación;título".encode("cp1252")) == "publicación;título"
    assert figures_file.text_of(b"\xef\xbb\xbfurl,at") == "url,at"
    with pytest.raises(Problem):
        figures_file.text_of(b"PK\x03\x04\0\0")


def test_what_is_taken_away_can_be_brought_again_and_holds_no_formula(out, as_alba, alba, brand):
    post, remote = out(9, "=1+1", likes=7, views=0)
    Post.objects.filter(pk=post.pk).update(title="=HYPERLINK(1)")
    answer = as_alba.get(f"/b/{brand.slug}/posts/reactions/export/")
    text = figures_file.text_of(answer.content)
    assert "'=HYPERLINK(1)" in text
    assert ";7;;;;0\r\n" in text
    PostMetric.objects.all().delete()
    file = read(brand, text)
    assert figures_file.bring(file=file, brand=brand, by=alba, at=NOON) == 1
    assert dict(PostMetric.objects.values_list("name", "value")) == {"likes": 7, "views": 0}


def test_another_brands_posts_are_not_found_by_a_file(out, other_brand):
    _post, remote = out(9)
    assert read(other_brand, f"url,at,likes\n{remote.url},2026-11-20,3\n").good == []


def test_the_page_of_hours_says_that_it_is_not_known(out, account, as_alba, brand):
    out(9, likes=7)
    page = as_alba.get(f"/b/{brand.slug}/posts/reactions/{account.pk}/").content.decode()
    assert "Datos insuficientes" in page


# Polls.


@pytest.fixture
def asked(out):
    """`asked({"votes:0": 6, …}, multiple=True)`: a poll that has been out for three days, and what was told of it."""

    def ask(*told: dict[str, int], multiple: bool = False) -> tuple[Post, RemotePost]:
        post, remote = out(3)
        poll = {"options": ["Centeno", "Espelta", "Trigo"], "seconds": 86_400, "multiple": multiple}
        remote.draft = {**remote.draft, "poll": poll}
        remote.save(update_fields=["draft"])
        for number, values in enumerate(told):
            facts.keep(post=remote, values=values, at=NOON - 2 * DAY + number * HOUR, how="network")
        return post, remote

    return ask


def poll_of(post: Post) -> list[tuple[str, int, int, bool]]:
    [sheet] = reactions.sheets(post, zone="Europe/Madrid")
    return [(one.label, one.votes, round(one.share), one.is_first) for one in sheet.poll]


def test_a_poll_shows_the_last_that_was_told_as_bars_with_words(asked, as_alba, brand):
    post, _remote = asked({"votes:0": 1, "votes:1": 0, "votes:2": 0}, {"votes:0": 6, "votes:1": 3, "votes:2": 3})
    assert poll_of(post) == [("Centeno", 6, 50, True), ("Espelta", 3, 25, False), ("Trigo", 3, 25, False)]
    html = as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/", headers={"accept-language": "en"}).content.decode()
    assert '<rect width="50.00" height="4"></rect>' in html
    assert html.count('class="poll-result__label"') == 3
    assert "6 votes" in html
    assert "people answered" not in html, "how many they are was not told"
    assert "votes:0" not in html


def test_of_several_answers_shares_are_of_the_people(asked):
    post, _remote = asked({"votes:0": 6, "votes:1": 8, "votes:2": 0, "votes:people": 10}, multiple=True)
    assert [one[2] for one in poll_of(post)] == [60, 80, 0]
    assert reactions.sheets(post, zone="Europe/Madrid")[0].voters == 10


@pytest.mark.parametrize("told", [{}, {"votes:0": 6, "votes:1": 3}, {"votes:people": 10}])
def test_what_was_not_told_of_every_option_is_not_drawn(asked, told):
    assert poll_of(asked(told)[0]) == []


def test_a_poll_nobody_has_answered_is_zero_and_counts_as_no_reaction(asked):
    post, remote = asked({"votes:0": 0, "votes:1": 0, "votes:2": 0, "votes:people": 0})
    assert [one[1:] for one in poll_of(post)] == [(0, 0, False)] * 3
    [course] = facts.courses([remote]).values()
    assert (dict(course.figures), course.reaction(DAY)) == ({}, None)
