"""What monitors scrape: who may, that it is OpenMetrics, and that each figure moves with what it counts."""

from __future__ import annotations

import os
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.channels.models import Account, Delivery, Message, Quarantine, RemotePost
from tertulia.core import clock, metrics
from tertulia.core.models import Heartbeat, Job
from tertulia.flows import inbound
from tertulia.flows import metrics as figures

pytestmark = pytest.mark.django_db

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (-?[\d.]+(?:e[+-]?\d+)?)')
ENDINGS = {
    "gauge": {""}, "counter": {"_total"}, "histogram": {"_bucket", "_count", "_sum"},
    "gaugehistogram": {"_bucket", "_gcount", "_gsum"},
}  # fmt: skip


def parse(text: str) -> dict[str, float]:
    """Reads as strictly as the standard is written: a family's lines together, TYPE first, buckets never falling."""
    *lines, last, nothing = text.split("\n")
    assert (last, nothing) == ("# EOF", "")
    found, seen, name, kind = {}, set(), "", ""
    for line in lines:
        if line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:]
            assert name not in seen
            seen.add(name)
        elif line.startswith(("# HELP ", "# UNIT ")):
            assert line.split(" ")[2] == name
            assert not line.startswith("# UNIT ") or name.endswith("_" + line.split(" ")[3])
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            assert sample[1].startswith(name), line
            assert sample[1].removeprefix(name) in ENDINGS[kind], line
            key = sample[1] + (f"{{{sample[2]}}}" if sample[2] else "")
            assert key not in found, line
            found[key] = float(sample[3])
    for key, value in found.items():
        if 'le="+Inf"' in key:
            labels = re.sub(r',?le="\+Inf"', "", key).replace("{}", "")
            before = [
                each
                for each_key, each in found.items()
                if re.sub(r',?le="[^"]+"', "", each_key).replace("{}", "") == labels
            ]
            assert before == sorted(before)
            counts = [found.get(labels.replace("_bucket", ending)) for ending in ("_count", "_gcount")]
            assert value in counts
    return found


@pytest.fixture
def scrape(client, settings, monkeypatch):
    settings.METRICS_TOKEN = "Messvogel"
    monkeypatch.setattr(clock, "now", lambda: NOON)

    def scrape() -> dict[str, float]:
        answer = client.get("/metrics", headers={"Authorization": "Bearer Messvogel"})
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        return parse(answer.content.decode())

    return scrape


def test_without_a_token_there_is_nothing_and_with_another_one_no_entry(client, settings):
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "Messvogel"
    answers = [client.get("/metrics", headers={"Authorization": said}) for said in ("", "Bearer ", "Bearer Messvoge")]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert b"tertulia_posts" not in answers[0].content


def delivery(account: Account, state: str, act: str = "post", late: float = 0.0, **fields) -> Delivery:
    post = RemotePost.objects.create(account=account, draft={})
    return Delivery.objects.create(
        account=account, thread_id="t", post=post, act=act, key=f"k{post.pk}", state=state, due_at=NOON,
        created_at=NOON, finished_at=NOON + timedelta(seconds=late) if state == "sent" else None, **fields,
    )  # fmt: skip


def test_posts_are_counted_by_state_with_how_late_they_were(scrape, site):
    for late in (0.4, 3, 700):
        delivery(site, "sent", late=late)
    for state in ("queued", "unknown", "missed", "refused", "by_hand", "waiting"):
        delivery(site, state)
    delivery(site, "unknown", act="delete")
    Delivery.objects.filter(state="sent", finished_at=NOON + timedelta(seconds=700)).update(act="delete")
    found = scrape()
    states = {state: found[f'tertulia_posts{{state="{state}"}}'] for state in ("sent", "queued", "unknown", "sending")}
    assert states == {"sent": 2, "queued": 1, "unknown": 1, "sending": 0}
    assert found["tertulia_deliveries_unknown"] == 2
    assert found['tertulia_post_lateness_seconds_bucket{le="1"}'] == 1
    assert found["tertulia_post_lateness_seconds_gsum"] == pytest.approx(3.4)


def test_each_channel_has_its_lag_its_trouble_and_its_days(scrape, brand, site):
    Account.objects.filter(pk=site.pk).update(
        expires_at=NOON + timedelta(days=6), last_success_at=NOON - timedelta(seconds=40), state="attention"
    )
    inbound.intake(site, [envelope()], at=NOON)
    Message.objects.update(received_at=NOON + timedelta(seconds=12))
    for number in range(3):
        Quarantine.objects.create(account=site, received_at=NOON, why="?", body=b"?", digest=str(number))
    Quarantine.objects.filter(digest="2").update(settled_at=NOON)
    found, labels = scrape(), f'{{channel="{site.pk}",kind="site"}}'
    names = ("intake_lag_seconds", "last_success_seconds", "needs_attention", "access_days")
    assert [found[f"tertulia_channel_{name}{labels}"] for name in names] == [12, 40, 1, 6]
    assert found[f"tertulia_quarantined{labels}"] == 2


def test_queues_work_and_backups_tell_their_age(scrape, settings, tmp_path, site):
    settings.HOME = tmp_path
    assert "tertulia_backup_age_seconds" not in scrape()
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "last.json").touch()
    (tmp_path / "backups" / "tertulia-2026-11-23T100000Z.zip").touch()
    (tmp_path / "backups" / "tertulia-2026-11-23T105900Z-before-upgrade-from-0.1.0.zip").touch()
    Heartbeat.objects.create(name="work", at=NOON - timedelta(seconds=5))
    Job.objects.create(task="x", due_at=NOON - timedelta(seconds=75), created_at=NOON)
    found = scrape()
    assert [found[f"tertulia_{name}_seconds"] for name in ("backup_age", "work_silence")] == [3600, 5]
    ages = [found[f'tertulia_queue_age_seconds{{queue="{name}"}}'] for name in ("jobs", "deliveries", "accounts")]
    assert ages == [75, 0, 0]


def test_pages_and_refused_deliveries_are_counted_over_all_web_processes(scrape, client, brand):
    telegram = Account.objects.create(
        brand=brand, kind="telegram", name="T", created_at=NOON, secrets={"token": "1:a", "secret": "s" * 20}
    )
    before = scrape()
    assert client.post(f"/in/{telegram.public_key}/", b"{}", content_type="application/json").status_code == 403
    if (child := os.fork()) == 0:
        metrics.count_request(503, 0.3)
        metrics.count("webhook_refusals")
        os._exit(0)
    os.waitpid(child, 0)
    after = scrape()
    assert after["tertulia_webhook_refusals_total"] - before["tertulia_webhook_refusals_total"] == 2
    failed = 'tertulia_http_request_seconds_bucket{status="5xx",le="0.5"}'
    refused = 'tertulia_http_request_seconds_count{status="4xx"}'
    assert [after[name] - before[name] for name in (failed, refused)] == [1, 1]
    assert after["tertulia_web_memory_bytes"] > 10**7


def test_scrape_costs_the_same_whatever_has_piled_up(site):
    """Each statement reads an index of what is open, a table of few rows, or a fixed number of rows."""
    with CaptureQueriesContext(connection) as asked:
        list(figures.families(NOON))
    assert len(asked) < 10
    if connection.vendor != "sqlite":
        return
    for query in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = [row[3] for row in cursor.fetchall()]
        if "LIMIT" in query["sql"]:  # the newest rows, by their ids
            assert not any("TEMP B-TREE" in step for step in plan)
            continue
        large = [
            step
            for step in plan
            if re.match(r"SCAN (tertulia_channels_(delivery|message|quarantine)|core_job)\b", step)
        ]
        assert all("USING" in step for step in large), (query["sql"], plan)
