"""A backup is whole, is one moment, is opened before it counts, and is refused when anything of it was changed."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from conftest import NOON
from tertulia.core.backup import archive, copying, databases, keeping, sealing, tables
from tertulia.core.models import Activity
from world import World

pytestmark = pytest.mark.django_db(transaction=True)
of_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="the file is the same, and from PostgreSQL it takes ten seconds to make"
)


@pytest.fixture
def world(brand, alba) -> World:
    return World(brand, alba, name="uno")


def own_contents() -> dict[str, tables.Contents]:
    return tables.contents(readable(), tables.tables(databases.applied(connection)))


def readable() -> tables.Source:
    if connection.vendor == "postgresql":
        return archive.own_database()
    return sqlite3.connect(connection.settings_dict["NAME"])


def test_all_there_is_comes_along_and_can_be_read_again(world, tmp_path):
    before = own_contents()
    made = archive.make(tmp_path / "a.zip", at=NOON)

    with archive.opened(tmp_path / "a.zip") as backup:
        assert (backup.manifest, backup.manifest.vendor) == (made, connection.vendor)
        backup.unpack(tmp_path / "out")
    assert made.tables == before
    assert made.tables["publishing_media"].rows == 1
    digest = world.media.digest
    assert f"media/{world.brand.pk}/{digest[:2]}/{digest}" in made.files
    with closing(sqlite3.connect(tmp_path / "out" / archive.DATABASE)) as copy:
        assert copying.steps_of(copy) == databases.applied(connection)
        assert tables.contents(copy, tables.tables(made.steps)) == before
        [last] = copy.execute("SELECT seq FROM sqlite_sequence WHERE name = 'core_activity'").fetchone()
    assert last >= Activity.objects.order_by("-pk").values_list("pk", flat=True)[0]


def test_it_is_one_moment_while_others_write(world, tmp_path):
    stop = threading.Event()
    written = []

    def write() -> None:
        while not stop.is_set():
            with transaction.atomic():  # two rows, both or none
                for _ in range(2):
                    Activity.objects.create(brand_id=1, type="pair", on_kind="x", on_id=1, at=NOON)
            written.append(1)
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        made = [archive.make(tmp_path / f"{n}.zip", at=NOON) for n in range(2)]
    finally:
        stop.set()
        thread.join()
    pairs = []
    for number, _ in enumerate(made):
        with archive.opened(tmp_path / f"{number}.zip") as backup:
            backup.unpack(tmp_path / str(number))
        with closing(sqlite3.connect(tmp_path / str(number) / archive.DATABASE)) as copy:
            pairs.append(copy.execute("SELECT count(*) FROM core_activity WHERE type = 'pair'").fetchone()[0])
    assert [count % 2 for count in pairs] == [0, 0]
    assert 0 < pairs[1] < len(written) * 2


@of_sqlite
def test_an_encrypted_one_holds_the_keys_and_opens_with_its_passphrase_alone(world, tmp_path):
    made = archive.make(tmp_path / "a", at=NOON, passphrase="pan con tomate")

    assert made.has_keys
    content = (tmp_path / "a").read_bytes()
    assert b"manifest" not in content
    with pytest.raises(archive.NeedsPassphrase), archive.opened(tmp_path / "a"):
        pass
    with pytest.raises(archive.Refused, match="contraseña"), archive.opened(tmp_path / "a", "pan"):
        pass
    with archive.opened(tmp_path / "a", "pan con tomate") as backup:
        backup.compare()


@of_sqlite
@pytest.mark.parametrize("passphrase", ["", "pan con tomate"])
def test_what_was_changed_or_cut_off_is_refused(world, tmp_path, passphrase):
    made = archive.make(tmp_path / "a", at=NOON, passphrase=passphrase)
    whole = (tmp_path / "a").read_bytes()
    places = range(300, len(whole) - 300, len(whole) // 12)
    broken = [whole[: len(whole) * part // 7] for part in range(7)]
    broken += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in places]
    taken = [read for content in broken if (read := as_read(tmp_path / "b", content, passphrase))]
    # A zip has a few bytes that say nothing, like the year of a file in it; a sealed one has none.
    assert taken == [made] * len(taken if not passphrase else [])


def as_read(file: Path, content: bytes, passphrase: str) -> archive.Manifest | None:
    """What it says, if every file in it is what it says; None where it is refused."""
    file.write_bytes(content)
    try:
        with archive.opened(file, passphrase) as backup:
            backup.compare()
            return backup.manifest
    except archive.Refused:
        return None


def test_pieces_of_a_sealed_file_can_neither_be_left_out_nor_swapped(tmp_path):
    file = tmp_path / "a"
    with file.open("wb") as out:
        seal = sealing.Seal(out, "pan")
        seal.write(os.urandom(3 * sealing.PIECE))
        seal.close()
    content = file.read_bytes()
    size = sealing.PIECE + sealing.TAG
    head, *pieces = (
        content[: sealing.HEADER],
        *(content[at : at + size] for at in range(sealing.HEADER, len(content), size)),
    )
    for order in ([0, 1], [1, 0, 2], [0, 2]):
        file.write_bytes(head + b"".join(pieces[number] for number in order))
        with pytest.raises(sealing.Damaged), file.open("rb") as source:
            sealing.Unsealed(source, "pan").readall()


def test_without_room_there_is_a_sentence_and_no_half_file(world, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(archive.NotMade, match="sitio"):
            archive.make(tmp_path / "a.zip", at=NOON)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    assert list(keeping.folder().glob(".making-*")) == []


@of_sqlite
def test_killed_in_the_middle_it_leaves_the_old_ones_and_nothing_in_the_way(world, tmp_path, monkeypatch):
    archive.make(tmp_path / "old.zip", at=NOON)
    old = (tmp_path / "old.zip").read_bytes()
    connection.close()
    child = os.fork()
    if not child:
        monkeypatch.setattr(archive.Archive, "compare", lambda _self: os.kill(os.getpid(), signal.SIGKILL))
        archive.make(tmp_path / "new.zip", at=NOON)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL

    assert (tmp_path / "old.zip").read_bytes() == old
    assert not (tmp_path / "new.zip").exists()
    assert len(list(keeping.folder().glob(".making-*"))) == 1
    archive.make(tmp_path / "new.zip", at=NOON)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.zip", "old.zip"]
    assert list(keeping.folder().glob(".making-*")) == []


def test_older_ones_give_way(settings, tmp_path):
    settings.HOME, settings.BACKUPS = tmp_path, True
    keeping.folder().mkdir()
    today = datetime(2026, 11, 29, 3, tzinfo=UTC)
    for days in range(400):
        keeping.new_name(today - timedelta(days=days), is_sealed=False).touch()
        keeping.thin_out() if days % 50 == 0 else None
    for days in range(5):
        keeping.new_name(today - timedelta(days=days), is_sealed=True, from_version="0.1.0").touch()
    (keeping.folder() / "mine.zip").touch()
    keeping.thin_out()

    daily = [each.made_at for each in keeping.kept() if not each.from_version]
    assert [(today - each).days for each in daily[:7]] == list(range(7))
    assert {f"{each:%G-%V}" for each in daily} >= {"2026-48", "2026-47", "2026-46", "2026-45"}
    assert {f"{each:%Y-%m}" for each in daily} == {f"2026-{month:02}" for month in range(6, 12)}
    assert len(daily) <= 7 + 4 + 6
    assert len([each for each in keeping.kept() if each.from_version]) == 3
    assert (keeping.folder() / "mine.zip").exists()
    assert keeping.newest_at() == today
    assert not keeping.is_late(today + timedelta(hours=26), since=NOON)
    assert keeping.is_late(today + timedelta(hours=27), since=NOON)


def test_json_and_numbers_are_the_same_however_they_are_spelled():
    table = tables.Table("t", (tables.Column("a", "JSONField"),), "")

    def checksum(text: str) -> str:
        tally = tables.Tally(table)
        tally.add([(text,)])
        return tally.contents.checksum

    assert checksum('{"b": 1.0, "a": "ñ"}') == checksum('{"a":"\\u00f1","b":1}')
    assert checksum("1e30") == checksum("1" + "0" * 30)
    assert checksum("1") != checksum('"1"')
