"""The one renderer: whatever comes in, nothing active goes out."""

import time

import pytest

from tertulia.connectors.mastodon import reading as mastodon
from tertulia.connectors.wordpress import comment as wordpress
from tertulia.core.html import MAX_HTML, render, tidy, whole_tags

HOSTILE = [
    "<script>alert(1)</script>hola",
    '<img src=x onerror="alert(1)">hola',
    '<svg onload="alert(1)">hola</svg>hola',
    '<a href="javascript:alert(1)">hola</a>',
    '<a href="java\tscript:alert(1)">hola</a>',
    '<a href="\x01javascript:alert(1)">hola</a>',
    '<blockquote cite="a\n\nb" onfocus=alert(1) autofocus tabindex=1>hola</blockquote>',
    '<p style="background:url(//evil.example)">hola</p>',
    '<div hx-get="/logout" data-hx-on="click" hx-on:click="x()" _="on click">hola</div>',
    '<iframe src="//evil.example"></iframe>hola',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>hola",
    '<form action="//evil.example"><input name=q></form>hola',
]


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_active_survives(html):
    result = render("", html)
    assert "hola" in result
    for bad in ("<script", "<img", "<svg", "<iframe", "<form", "<input", "javascript:", "onerror", "onload", "onfocus"):
        assert bad not in result
    for bad in ("style=", "hx-", " _=", "cite=", "evil.example"):
        assert bad not in result


@pytest.mark.parametrize("html", HOSTILE)
def test_the_same_as_plain_text_is_shown_as_it_stands(html):
    assert "<script" not in render(html)
    assert "<img" not in render(html)
    assert "hola" in render(html)


def test_cleaning_twice_changes_nothing():
    once = render("", '<p>Hola <b>Diego</b> <a href="https://horno.example/pan">pan</a></p>')
    assert render("", once) == once
    assert 'href="https://horno.example/pan"' in once
    assert "nofollow" in once


def test_plain_text_keeps_its_paragraphs_lines_and_links():
    assert render("Hola\nque tal\n\nmira https://horno.example/a?b=1&c=2.") == (
        "<p>Hola<br>que tal</p>"
        '<p>mira <a href="https://horno.example/a?b=1&amp;c=2" rel="noopener noreferrer nofollow ugc">'
        "https://horno.example/a?b=1&amp;c=2</a>.</p>"
    )


def test_no_link_of_a_stranger_leads_into_our_house():
    assert (
        render("", '<a href="/b/horno/team/">a</a> <a href="?x">b</a> <a href="//x.example">c</a>').count("href") == 0
    )


def test_deep_nesting_is_cut():
    result = render("", "<div>" * 50_000 + "hola")
    assert "hola" in result
    assert result.count("<div>") == 100


def test_unmatched_closing_tags_do_not_hide_the_depth():
    result = render("", "<div></b>" * 20_000 + "hola")
    assert result.count("<div>") <= 100


def test_html_beyond_the_limit_is_shown_as_text():
    assert "<b>" not in render("", "<b>pan</b>" * MAX_HTML)
    assert "pan" in render("", "<b>pan</b>" * MAX_HTML)


def test_controls_and_lone_surrogates_are_taken_out_and_the_rest_stays():
    assert tidy("a\0b\ud800c\x1b[31m\r\nd\re 👨‍👩‍👧 \u202eñ") == "abc[31m\nd\ne 👨‍👩‍👧 \u202eñ"


# Pictures.


def shelf(name):
    return {"foto@x": "/b/horno/messages/1/files/0/?a&b", "logo": "/logo"}.get(name, "")


@pytest.mark.parametrize("source", ["cid:foto@x", "CID:foto%40x", " cid:foto@x ", "cid:&#102;oto@x"])
def test_a_picture_that_came_along_stands_in_its_place(source):
    html = f'<p>Mira: <img src="{source}" alt="La &quot;caja&quot;" width="40" height="9999999" onerror="x()"></p>'
    assert render("", html, shelf) == (
        '<p>Mira: <img src="/b/horno/messages/1/files/0/?a&amp;b" alt="La &quot;caja&quot;" width="40" loading="lazy">'
        "</p>"
    )


@pytest.mark.parametrize(
    "source",
    [
        "", "https://evil.example/p.gif", "//evil.example/p.gif", "/b/horno/secret", "logo", "data:image/png;base64,AA",
        "cid:", "cid:other", "c\tid:logo", "cid:logo/../x", "http:cid:logo", "javascript:alert(1)", "blob:cid:logo",
    ],
)  # fmt: skip
def test_of_any_other_the_description_is_shown(source):
    assert render("", f'<p><img src="{source}" alt="Una <b>caja</b>"></p>', shelf) == (
        "<p>Una &lt;b&gt;caja&lt;/b&gt;</p>"
    )


def test_without_pictures_to_place_none_is_shown():
    assert render("", '<img src="cid:logo" alt="Logo">') == "Logo"


def test_a_picture_loads_nothing_else():
    html = '<img src="cid:logo" srcset="//evil.example 2x" longdesc="//evil.example" style="x" usemap="#m" ismap>'
    assert render("", html, shelf) == '<img src="/logo" alt="" loading="lazy">'
    assert render("", '<a href="cid:logo">pan</a><q cite="cid:logo">x</q>', shelf).count("logo") == 0


def test_what_only_looks_like_a_picture_asks_for_none():
    asked = []
    hostile = (
        '<a href="https://x.example/" title=\'<img src="cid:a">\'>a</a> &lt;img src="cid:b"&gt; '
        '<!-- <img src="cid:c"> --><b title="&lt;img src=&quot;cid:d&quot;>">x</b><style><img src="cid:e"></style>'
    )
    result = render("", hostile, lambda name: asked.append(name) or "/asked")
    assert (asked, "<img" in result) == ([], False)


def test_a_picture_in_a_drawing_is_asked_for_only_when_it_is_shown():
    asked = []
    result = render("", '<svg><img src="cid:a"></svg>', lambda name: asked.append(name) or "/asked")
    assert len(asked) == result.count("/asked")


HALF = ["<a ", "<!-- ", "<!--a>", "</a ", "<?x ", "<![CDATA[", "<a x='", '<a x=">', "<script>", "&#"]


@pytest.mark.parametrize("piece", HALF)
def test_a_megabyte_of_half_written_html_is_read_in_seconds(piece):
    began = time.process_time()
    for plain in (mastodon.plain, wordpress._plain):
        plain(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 10


def test_what_is_no_whole_tag_is_text():
    told = 'a < b &lt; c <3 <p class="x">uno<br/>dos</p><!-- no --><!DOCTYPE html> y <b'
    assert whole_tags(told) == 'a &lt; b &lt; c &lt;3 <p class="x">uno<br/>dos</p> y &lt;b'
    assert mastodon.plain(told) == "a < b < c <3\n\nuno\ndos y <b"
