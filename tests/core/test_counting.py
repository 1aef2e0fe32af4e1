"""Each rule with the examples of whoever made it."""

import pytest

from tertulia.core import counting


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("", 0),
        ("Pan de pueblo", 13),
        ("a\u0301rbol", 5),  # an accent of its own belongs to its letter
        ("👨‍👩‍👧‍👦", 1),
        ("👍🏽👍", 2),
        ("🇪🇸🇫🇷", 2),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
        ("1️⃣", 1),
        ("\r\n", 1),
        ("한국", 2),
        ("क्षि", 1),  # a conjunct
        ("e" + "\u0301" * 50, 1),
    ],
)
def test_signs_as_people_see_them(text, signs):
    assert counting.graphemes(text) == signs


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("Pan de pueblo", 13),
        ("café", 4),
        ("cafe\u0301", 4),  # composed first
        ("日本語", 6),
        ("👨‍👩‍👧‍👦", 2),  # docs.x.com, counting characters: every emoji two, whatever it is made of
        ("👍🏽", 2),
        ("🇪🇸", 2),
        ("1️⃣", 2),
        ("“Hola” – dijo…", 15),  # quotes and dashes are light; the ellipsis is not
        ("https://horno.example/una/direccion/que/es/muy/larga?con=todo", 23),
        ("Mira https://a.example.", 29),
        ("(https://a.example/b_(c))", 25),
        ("horno.com y horno.com/pan", 49),
        ("horno.es", 8),  # a country's ending alone is no address
        ("horno.es/pan", 23),
        ("ana@horno.com", 13),
        ("ñ" * 280, 280),
        ("漢" * 140, 280),
    ],
)
def test_a_text_as_x_weighs_it(text, weight):
    assert counting.x_weighted(text) == weight


def test_bytes_and_code_units():
    assert (counting.utf8("ñ👍"), counting.utf16("ñ👍")) == (6, 3)
    assert (counting.utf8("\ud800"), counting.utf16("\ud800")) == (1, 1)  # half a sign is nobody's error
