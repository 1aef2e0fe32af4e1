"""What is logged or stored about an error shows no secret."""

import pytest
from django.db import IntegrityError

from tertulia.core.redact import describe, redact, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://ana:s3cret@shop.example/x failed", "GET https://•••@shop.example/x failed"),
        ("see https://shop.example/hook?token=abc&x=1 now", "see https://shop.example/hook?••• now"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: ••• •••"),
        ("sent Bearer abcdef0123 to them", "sent Bearer ••• to them"),
        ('{"api_key": "k-1", "name": "Ana"}', '{"api_key": •••, "name": "Ana"}'),
        ("password=hunter2, user=ana", "password=•••, user=ana"),
        ("key 3f9c1e77aa02b4d5e6f708192a3b4c5d here", "key ••• here"),
        ("IntegrityError in inbox_conversation_unique_constraint_name", None),
        ("two\nlines\x1b[31m", "two lines [31m"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text, shown):
    assert redact(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    "run", ["9", "a-b.", "/x/", "token", "token ", 'token="', "http://", "bearer ", "-", " ", "=9a"]
)
def test_a_megabyte_of_any_shape_is_gone_through_once(run):
    """Any address that is asked for can get a line in the log. Gone through anew at each sign, it never ended."""
    assert len(without_secrets(run * (1_000_000 // len(run)))) > 2


def test_a_long_text_is_cut():
    assert redact("ñ" * 900) == "ñ" * 499 + "…"


def test_an_error_is_described_by_its_kind_and_text():
    assert describe(ValueError("token=abc")) == "ValueError: token=•••"
    assert describe(TimeoutError()) == "TimeoutError"


def test_the_row_that_a_database_refused_is_not_quoted():
    error = IntegrityError('new row violates check "x"\nDETAIL:  Failing row contains (7, Soy Ana\ny vivo en Lugo).')
    assert describe(error) == 'IntegrityError: new row violates check "x"'
