"""Which tests are proofs: `make prove` runs them, and a run of the others may leave them out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Tests:
    """Tests by their addresses; what fails counts as `breaks`, whatever else they count they tell themselves. Without
    an address they are not written yet."""

    proof: str
    breaks: str
    chosen: tuple[str, ...]


SUITE = (
    Tests("posts_machine", "doubled", ("publishing/test_whatever_happens_to_posts.py",)),
    Tests("bad_line", "lost", ("publishing/test_bad_line.py",)),
    Tests("large_inputs", "lost", ("project/test_large_inputs.py",)),
    Tests("bad_network", "lost", ("flows/test_misbehaving_network.py",)),
    Tests("time_cases", "lost", ("brand/test_hours.py",)),
    Tests("loops", "doubled", (
        "inbox/test_automatic.py::test_at_most_one_to_an_address_a_day",
        "inbox/test_automatic.py::test_two_machines_facing_each_other_stop",
        "inbox/test_automatic.py::test_ten_an_hour_from_a_channel_at_most",
        "inbox/test_automatic.py::test_it_is_not_said_to",
    )),
    Tests("strangers", "leaked", tuple(f"test_every_url.py::test_{name}" for name in (
        "nobody_who_is_not_signed_in_gets_in", "strangers_and_other_brands_find_nothing_there",
        "foreign_ids_under_ones_own_brand_are_not_found", "foreign_ids_in_the_body_change_nothing_over_there",
        "a_role_without_the_right_is_refused", "a_look_changes_nothing", "odd_ids_are_not_found",
    ))),
    Tests("forms", "leaked", (
        "test_every_url.py::test_every_change_needs_the_forms_token",
        "test_every_url.py::test_pages_of_signed_in_people_are_stored_by_no_cache_and_carry_the_headers",
    )),
    Tests("address_guard", "leaked", tuple(f"core/test_http.py::test_{name}" for name in (
        "no_spelling_of_a_forbidden_address_is_connected_to", "a_name_that_leads_inside_is_refused_whole",
        "the_address_that_was_checked_is_the_one_connected_to", "a_redirect_is_an_answer_and_is_not_followed",
        "proxies_of_the_environment_are_not_used", "a_stream_knows_the_same_addresses",
    ))),
    Tests("secrets", "leaked", ("test_secrets_stay_inside.py",)),
    Tests("hostile_text", "leaked", (
        "core/test_html.py", "test_bad_input.py",
        "connectors/test_mail_reading.py::test_bombs_harm_nobody_but_themselves",
        "connectors/test_mail_reading.py::test_damaged_mails_are_read_or_refused_in_words",
    )),
)  # fmt: skip
MARKED = {"personal": "personal_data", "": "security"}
"""Tests that call themselves a proof and are not chosen above, by a word in the name of their file."""


def marked() -> list[Tests]:
    """What says of itself that it is a proof, wherever it lies."""
    chosen = {address.partition("::")[0] for each in SUITE for address in each.chosen}
    found: dict[str, list[str]] = {proof: [] for proof in MARKED.values()}
    for path in sorted(TESTS.rglob("test_*.py")):
        name = str(path.relative_to(TESTS))
        if re.search(r"mark\.proof\b", path.read_text()) and name not in chosen:
            found[next(proof for word, proof in MARKED.items() if word in name)].append(name)
    return [Tests(proof, "leaked", tuple(names)) for proof, names in found.items()]


def is_chosen(path: Path, test: str) -> bool:
    """Whether `make prove` runs this test; its name is without parameters."""
    name = str(path.relative_to(TESTS))
    return not {name, f"{name}::{test}"}.isdisjoint(_addresses())


@cache
def _addresses() -> frozenset[str]:
    return frozenset(address for each in (*SUITE, *marked()) for address in each.chosen)
