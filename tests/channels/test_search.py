"""Words are found without accents, in any Spanish form, and only in one's own brand."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from snowballstemmer.spanish_stemmer import SpanishStemmer

from conftest import NOON, envelope
from tertulia.channels import search
from tertulia.channels.models import Account, Message
from tertulia.flows import inbound
from tertulia.understanding import phrases

pytestmark = pytest.mark.django_db


@pytest.fixture
def texts(site):
    said = [
        "¿Hacéis panadería sin gluten?",
        "Las panaderías de Chamberí",
        "Un pan de molde",
        "Quiero devolver el roscón",
    ]
    inbound.intake(site, [envelope(text, remote_id=f"m{n}", minutes=n) for n, text in enumerate(said)], at=NOON)


def found(brand, query, **options):
    ids = search.find(brand.id, query, **options)
    texts = dict(Message.objects.values_list("id", "text"))
    return [texts[id] for id in ids]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("panaderia", 2),
        ("PANADERÍAS", 2),
        ("pan", 3),
        ("gluten panadería", 1),
        ("devol", 1),
        ("devolviendo", 1),
        ("diego roscón", 1),
        ("pizza", 0),
        ("", 0),
        ("\"' OR 1=1 --", 0),
        ("NEAR(pan* AND) ^", 0),
        ("% _ *", 0),
        ("½ ² ①", 0),
    ],
)
def test_finds(brand, texts, query, count):
    assert len(found(brand, query)) == count


def test_newest_first_and_page_by_page(brand, texts):
    first = search.find(brand.id, "pan", limit=2)
    rest = search.find(brand.id, "pan", before=first[-1], limit=2)
    assert [*first, *rest] == sorted([*first, *rest], reverse=True)
    assert len({*first, *rest}) == 3


def test_an_edited_message_is_found_by_its_new_words_only(brand, site, texts):
    edit = envelope("Un bizcocho", remote_id="m2", minutes=2, verb="edited", changed_at=NOON.replace(hour=13))
    inbound.intake(site, [edit], at=NOON)
    assert found(brand, "bizcocho") == ["Un bizcocho"]
    assert found(brand, "molde") == []


def test_another_brand_finds_nothing(other_brand, texts):
    assert search.find(other_brand.id, "pan") == []


def test_nobody_can_write_themselves_into_another_brands_results(brand, other_brand, texts):
    spy = Account.objects.create(brand=other_brand, kind="phone", name="x", created_at=NOON)
    inbound.intake(spy, [envelope(f"pan qbrandq{brand.id}")], at=NOON)
    ids = search.find(brand.id, "pan")
    assert set(Message.objects.filter(id__in=ids).values_list("account__brand_id", flat=True)) == {brand.id}


@pytest.mark.parametrize(
    ("text", "query", "passage"),
    [
        ("Un pan de molde", "PAN", ("Un ", "pan", " de molde")),
        ("La panadería\n de la esquina", "panaderias", ("La ", "panadería", " de la esquina")),
        ("Mi pedido 30412", "3041", ("Mi pedido ", "30412", "")),
        (
            "Buenos días a todos los de la casa, ¿queda roscón?",
            "roscon",
            ("…a todos los de la casa, ¿queda ", "roscón", "?"),
        ),
        ("x" * 70 + " pan", "pan", ("…", "pan", "")),
        ("x" * 70 + "/pan", "pan", ("…", "pan", "")),
        ("Nada de eso", "pan", None),
        ("Nada", "", None),
    ],
)
def test_a_passage_is_cut_around_the_first_word_that_was_asked_for(text, query, passage):
    assert search.passage(text, query) == passage


@pytest.mark.parametrize(
    ("read", "stretches", "looked_up"), [(0, 0, 0), (0, 0, 99), (0, 8, 0), (0, 1, 99), (8, 0, 0), (6_000, 8, 1_000)]
)
def test_no_page_misses_what_lies_in_an_older_stretch(brand, site, monkeypatch, read, stretches, looked_up):
    monkeypatch.setattr(search, "MOST_READ", read)
    monkeypatch.setattr(search, "MOST_STRETCHES", stretches)
    monkeypatch.setattr(search, "MOST_LOOKED_UP", looked_up)
    monkeypatch.setattr(search, "WINDOW", 2)
    monkeypatch.setattr(search, "STRETCHES", (1, 3))
    monkeypatch.setattr(search, "ENOUGH", 2)
    said = ["pan de centeno" if n % 5 == 0 else "una tarta" for n in range(60)]
    inbound.intake(site, [envelope(text, remote_id=f"m{n}", minutes=n) for n, text in enumerate(said)], at=NOON)
    ids, before = [], None
    while page := search.find(brand.id, "centeno", before=before, limit=2):
        ids += page
        before = page[-1]
    expected = Message.objects.filter(text__contains="centeno").order_by("-id").values_list("id", flat=True)
    assert ids == list(expected)
    assert len(ids) == 12


def test_nobody_can_write_themselves_into_a_newer_stretch(brand, site):
    inbound.intake(site, [envelope("pan qbrandqs15n0 qbrandqs19n0")], at=NOON)
    assert search.tokens("qbrandqs15n0") == ""


@pytest.mark.parametrize("most", [0, 1, 100])
def test_a_beginning_finds_the_same_however_many_words_begin_so(brand, site, monkeypatch, most):
    monkeypatch.setattr(search, "MOST_BEGUN", most)
    said = ["roscón", "un bosque", "Roscazas", "rosc", "la rosca roscada", "brosc", "rosctt"]
    inbound.intake(site, [envelope(text, remote_id=f"m{n}", minutes=n) for n, text in enumerate(said)], at=NOON)
    assert found(brand, "rosc") == ["rosctt", "la rosca roscada", "rosc", "Roscazas", "roscón"]
    assert found(brand, "la rosca") == ["la rosca roscada"]
    assert found(brand, "roscttt") == []


def test_a_word_begun_that_nobody_says_any_more_is_not_found(brand, site):
    inbound.intake(site, [envelope("cumpleaños", remote_id="m1")], at=NOON)
    edit = envelope("tarta", remote_id="m1", verb="edited", changed_at=NOON.replace(hour=13))
    inbound.intake(site, [edit], at=NOON)
    assert found(brand, "cumplea") == []


@pytest.mark.parametrize("looked_up", [0, 1_000])
@pytest.mark.parametrize(("times", "expected"), [(2, ["roscón", "rosc", "rosc"]), (3, ["rosc", "rosc", "rosc"])])
def test_the_word_itself_decides_however_old_it_is(brand, site, monkeypatch, looked_up, times, expected):
    monkeypatch.setattr(search, "WINDOW", 1)
    monkeypatch.setattr(search, "STRETCHES", (1, 3))
    monkeypatch.setattr(search, "ENOUGH", 3)
    monkeypatch.setattr(search, "MOST_LOOKED_UP", looked_up)
    said = [*["rosc"] * times, "roscón", *["tarta"] * 4]
    inbound.intake(site, [envelope(text, remote_id=f"m{n}", minutes=n) for n, text in enumerate(said)], at=NOON)
    assert found(brand, "rosc") == expected
    first, *rest = search.find(brand.pk, "rosc")
    assert search.find(brand.pk, "rosc", before=first) == rest


@pytest.mark.parametrize(
    "stem_of", [lambda word: search.tokens(word).split()[-1], partial(phrases.stem_of, language="es")]
)
def test_a_word_keeps_its_stem_while_another_thread_reads_another_word(monkeypatch, stem_of):
    search._tokens_of.cache_clear()
    stem, other = SpanishStemmer._stem, iter(["nacionalidades"])

    def interrupted(stemmer):
        for word in other:
            with ThreadPoolExecutor() as pool:
                assert pool.submit(stem_of, word).result() == "nacional"
        return stem(stemmer)

    monkeypatch.setattr(SpanishStemmer, "_stem", interrupted)
    assert stem_of("panaderias") == "panaderi"
