"""A backup that somebody asks for from the page."""

import subprocess
from types import SimpleNamespace

import pytest

from conftest import NOON
from tertulia.core import jobs
from tertulia.core.backup import keeping
from tertulia.core.models import Job
from tertulia.flows import backups

pytestmark = pytest.mark.django_db
PAGE = "/b/horno-candela/settings/backups/"


@pytest.fixture
def ends(monkeypatch, tmp_path, settings):
    """The command ends at once, with this code and these words; returns what was run."""
    settings.HOME = tmp_path
    ran = []

    def ends(code: int = 0, says: str = "") -> list[list[str]]:
        def run(words, **_options):
            ran.append(words[2:])
            return SimpleNamespace(returncode=code, stderr=says)

        monkeypatch.setattr(subprocess, "run", run)
        return ran

    return ends


def test_one_is_made_in_the_background_and_the_page_says_so_meanwhile(as_alba, brand, ends, settings):
    settings.BACKUPS = True
    ran = ends()
    assert as_alba.post(f"{PAGE}making/").url == PAGE
    as_alba.post(f"{PAGE}making/")
    page = as_alba.get(PAGE).content.decode()
    assert "Se está haciendo una copia" in page
    assert "hx-get" in page
    assert Job.objects.filter(task="backups.asked_for").count() == 1
    jobs.run_due(at=NOON.replace(year=2100))
    assert ran == [["tertulia", "backup", "--daily"]]
    assert "Se está haciendo una copia" not in as_alba.get(PAGE).content.decode()


def test_what_could_not_be_made_is_told_on_the_page(as_alba, brand, ends, settings):
    settings.BACKUPS = True
    ends(1, "No queda sitio.")
    backups.ask()
    with pytest.raises(backups.BackupFailed):
        jobs.run_due(at=NOON.replace(year=2100))
    assert keeping.failure().why == "No queda sitio."
    assert "No queda sitio." in as_alba.get(PAGE).content.decode()


def test_only_who_manages_the_brand_may_and_not_where_none_are_made(as_alba, as_bruno, brand, ends, settings):
    settings.BACKUPS = True
    assert as_bruno.post(f"{PAGE}making/").status_code == 403
    settings.BACKUPS = False
    assert as_alba.post(f"{PAGE}making/").status_code == 404
    assert "making/" not in as_alba.get(PAGE).content.decode()
    assert not Job.objects.filter(task="backups.asked_for").exists()
