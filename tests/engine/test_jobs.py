"""The due table of ordinary work."""

from datetime import timedelta

import pytest

from conftest import NOON
from tertulia.core import jobs
from tertulia.core.models import Job

ran: list[object] = []


@jobs.task("tests.note", attempts=3)
def note(*, what: str) -> None:
    ran.append(what)
    if what.startswith("bad"):
        raise ValueError("could not reach https://ana:s3cret@shop.example/hook?token=abc")


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


@pytest.fixture
def _periodic(monkeypatch):
    monkeypatch.setattr(jobs, "periodics", {})
    jobs.periodic("tests.tick", seconds=60)(lambda: ran.append("tick"))
    yield
    del jobs.tasks["tests.tick"]


@pytest.mark.django_db
def test_a_job_runs_at_its_moment_and_not_before():
    jobs.enqueue(note, due_at=NOON, what="bread")
    assert jobs.run_due(NOON - timedelta(seconds=1)) == 0
    assert jobs.run_due(NOON) == 1
    assert jobs.run_due(NOON) == 0
    assert ran == ["bread"]
    assert Job.objects.get().state == "done"


@pytest.mark.django_db
def test_a_job_can_be_named_by_its_task():
    jobs.enqueue("tests.note", due_at=NOON, what="bread")
    jobs.run_due(NOON)
    assert ran == ["bread"]


@pytest.mark.django_db
def test_a_key_lets_one_job_in():
    for _ in range(2):
        jobs.enqueue(note, key="once", due_at=NOON, what="bread")
    assert jobs.run_due(NOON) == 1


@pytest.mark.django_db
def test_a_failing_job_comes_back_later_and_then_stays_failed():
    jobs.enqueue(note, due_at=NOON, what="bad")
    for minutes in (0, 1, 2):
        assert jobs.run_due(NOON + timedelta(minutes=minutes), raises=False) == 1
    job = Job.objects.get()
    assert (job.state, job.attempts, job.finished_at) == ("failed", 3, NOON + timedelta(minutes=2))
    assert job.error == "ValueError: could not reach https://•••@shop.example/hook?•••"


@pytest.mark.django_db
def test_the_first_retry_waits_about_five_seconds():
    jobs.enqueue(note, due_at=NOON, what="bad")
    with pytest.raises(ValueError, match="could not reach"):
        jobs.run_due(NOON)
    assert timedelta(seconds=3.7) < Job.objects.get().due_at - NOON < timedelta(seconds=6.3)


@pytest.mark.django_db
def test_a_task_nobody_knows_waits_for_a_worker_that_does():
    jobs.enqueue("tests.unborn", due_at=NOON)
    jobs.run_due(NOON, raises=False)
    job = Job.objects.get()
    assert (job.state, job.error) == ("waiting", "UnknownTask: No task is named tests.unborn.")


@pytest.mark.django_db
def test_the_fence_refuses_a_late_writer():
    jobs.enqueue(note, due_at=NOON, what="bread")
    (late,) = jobs.claim(at=NOON, limit=5)
    after = NOON + jobs.LEASE + timedelta(seconds=1)
    assert jobs.free_lost(at=after) == 1
    (successor,) = jobs.claim(at=after + timedelta(minutes=1), limit=5)
    assert jobs.settle([jobs.Result(late)], at=after) == 1
    assert Job.objects.get().state == "running"
    assert jobs.settle([jobs.Result(successor)], at=after) == 0
    assert Job.objects.get().state == "done"


@pytest.mark.django_db
def test_a_renewed_lease_is_not_lost():
    jobs.enqueue(note, due_at=NOON, what="bread")
    (claim,) = jobs.claim(at=NOON, limit=5)
    jobs.renew([(claim.id, claim.fence)], at=NOON + timedelta(seconds=50))
    jobs.free_lost(at=NOON + timedelta(seconds=70))
    assert Job.objects.get().state == "running"


@pytest.mark.django_db
def test_a_job_that_kills_its_worker_every_time_has_failed():
    jobs.enqueue(note, due_at=NOON, what="bread")
    at = NOON
    for _ in range(3):
        jobs.claim(at=at, limit=5)
        at += timedelta(minutes=5)
        jobs.free_lost(at=at)
        at += timedelta(minutes=5)
    job = Job.objects.get()
    assert (job.state, job.error) == ("failed", "The worker stopped while it ran.")


@pytest.mark.django_db
def test_no_task_takes_all_the_threads():
    for number in range(8):
        jobs.enqueue(note, due_at=NOON, what=f"bread {number}")
    jobs.enqueue("tests.unborn", due_at=NOON + timedelta(seconds=1))
    claims = jobs.claim(at=NOON + timedelta(seconds=1), limit=8)
    assert [claim.task for claim in claims] == ["tests.note"] * 6 + ["tests.unborn"]
    assert jobs.claim(at=NOON + timedelta(seconds=1), limit=8, busy={"tests.note": 6}) == []


@pytest.mark.django_db
def test_a_ticket_handed_over_twice_is_used_once():
    jobs.enqueue(note, due_at=NOON, what="bread")
    (ticket,) = jobs.hold(at=NOON, limit=5)
    assert jobs.claim(at=NOON, limit=5) == []
    assert jobs.take(ticket, at=NOON) is not None
    assert jobs.take(ticket, at=NOON) is None


@pytest.mark.django_db
def test_a_lost_ticket_frees_itself():
    jobs.enqueue(note, due_at=NOON, what="bread")
    (ticket,) = jobs.hold(at=NOON, limit=5)
    (again,) = jobs.hold(at=NOON + jobs.LEASE, limit=5)
    assert jobs.take(ticket, at=NOON + jobs.LEASE) is None
    assert jobs.take(again, at=NOON + jobs.LEASE) is not None


@pytest.mark.django_db
@pytest.mark.usefixtures("_periodic")
def test_a_tick_runs_once_however_many_workers_begin_it():
    for seconds in (0, 1, 30):
        jobs.tick(at=NOON + timedelta(seconds=seconds))
    jobs.run_due(NOON + timedelta(seconds=59))
    assert ran == ["tick"]
    next_at = jobs.tick(at=NOON + timedelta(seconds=60), since=NOON)
    assert next_at == NOON + timedelta(seconds=120)
    jobs.run_due(NOON + timedelta(seconds=60))
    assert ran == ["tick", "tick"]


@pytest.mark.django_db
@pytest.mark.usefixtures("_periodic")
def test_where_there_is_nothing_to_do_a_tick_writes_no_job():
    jobs.periodic("tests.when", seconds=60, when="SELECT 1 FROM core_job WHERE due_at > %s")(lambda: ran.append("when"))
    try:
        jobs.tick(at=NOON)
        assert list(Job.objects.values_list("task", flat=True)) == ["tests.tick"]
        jobs.enqueue(note, due_at=NOON + timedelta(hours=1), what="bread")
        jobs.tick(at=NOON + timedelta(seconds=1))  # of the same minute, as another worker that looks later
        assert Job.objects.filter(task="tests.when").count() == 1
    finally:
        del jobs.tasks["tests.when"]


@pytest.mark.django_db
def test_done_jobs_are_forgotten_after_three_days_and_failed_ones_kept_longer():
    jobs.enqueue(note, due_at=NOON, what="bread")
    jobs.enqueue(note, due_at=NOON, what="bad")
    for minutes in (0, 1, 2):
        jobs.run_due(NOON + timedelta(minutes=minutes), raises=False)
    assert jobs.prune(at=NOON + timedelta(days=4)) == 1
    assert Job.objects.get().state == "failed"


def test_two_functions_cannot_claim_one_name():
    with pytest.raises(jobs.TwoTasks):
        jobs.task("tests.note")(lambda: None)
