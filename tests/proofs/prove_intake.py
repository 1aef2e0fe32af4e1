"""Reading messages, or renewing credentials, is killed or broken at one system call after another; then what the
network holds is compared with what we have.

    python tests/proofs/prove_intake.py [--renewal] [--points 150] [--hands 1]

As `prove_publishing.py`, whose points, faults and strace these are. At each point somebody writes, edits and deletes on
three networks; with `--renewal` the credentials of two accounts end just then: one network goes on taking the refresh
token before the last, the other takes each only once. There a death between its answer and our writing it down locks
us out, and a person has to connect the account again: "unknown", never silence.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from proofs.prove_publishing import STEP, Hand, Point, Tally, main

LENIENT, STRICT = "proof-lenient", "proof-strict"


def write(network: Any) -> None:
    """Three people write, one of them on, one edits, one deletes."""
    people = ["ana", "berta", "carlos"]
    made = [network.write(who, f"Pregunta de {who}")["message"]["id"] for who in [*people, "ana"]]
    network.edit(made[0], "¿Y con nueces?")
    network.delete(made[1])


def messages(network: Any) -> dict[str, tuple[str, str, bool]]:
    return {id: (one["thread"], one["text"], one["deleted"]) for id, one in network.messages.items()}


def newest_token(network: Any) -> str:
    return str(network.refresh)


def be_strict(network: Any) -> None:
    network.remembers_last = False


class Reader(Hand):
    minutes, afterwards = 1, 30

    def lay_out(self) -> Any:
        from tertulia.channels.models import Account

        self.now += timedelta(hours=12)
        for network in self.networks.values():
            network.ask(write)
        Account.objects.update(next_poll_at=self.now, state="active")
        self._close_connections()

    def _work(self, since: datetime, minutes: int) -> None:
        from tertulia.core import clock, jobs
        from tertulia.flows import polling

        for step in range(int(timedelta(minutes=minutes) / STEP) + 1):
            at = since + step * STEP
            clock.now = lambda at=at: at  # type: ignore[misc]
            polling.run_due(at)
            jobs.free_lost(at=at)
            jobs.run_due(at, raises=False)

    def _judge(self, subject: Any, point: Point) -> Tally:
        from tertulia.channels.models import Message
        from tertulia.core.models import Job
        from tertulia.inbox.models import Conversation

        tally = Tally()
        for account in self.accounts:
            there = self.networks[account.kind].ask(messages)
            rows = list(
                Message.objects.filter(account=account).values_list("remote_id", "thread_id", "text", "deleted_at")
            )
            here = {id: (thread, "" if gone else text, gone is not None) for id, thread, text, gone in rows}
            filed = set(Conversation.objects.filter(account=account).values_list("thread_id", flat=True))
            wrong = [id for id, said in there.items() if here.get(id) != said or said[0] not in filed]
            tally.tried += len(there)
            tally.sent += len(there) - len(wrong)
            tally.lost += len(wrong)
            tally.doubled += len(rows) - len(here)
            if wrong or len(rows) > len(here):
                tally.wrong.append(f"{point}: {account.kind}: {wrong[:5]}, {len(rows)} rows for {len(there)} messages")
        waiting = Job.objects.filter(task="inbound.process").exclude(state="done").count()
        if waiting:
            tally.untold += waiting
            tally.wrong.append(f"{point}: {waiting} jobs not done")
        self._close_connections()
        return tally


class Renewer(Reader):
    kinds = (LENIENT, STRICT)

    def _furnish(self) -> None:
        from fakes import connector as fakes
        from tertulia.channels.models import Account
        from tertulia.connectors.contract import Granted, Reconnect
        from tertulia.core import clock

        class Renewing(fakes.Keyed):
            key = LENIENT
            capabilities = replace(fakes.Keyed.capabilities, renews=True)

            def renew(self, account: Any) -> Any:
                given = self._ask(account, "POST", "/renewals", json={"refresh": account.secrets["refresh"]})
                if not given["refresh"]:
                    raise Reconnect("Connect the account again.")
                return Granted({"refresh": given["refresh"]}, expires_at=clock.now() + timedelta(hours=2))

        fakes.KINDS |= {LENIENT: Renewing, STRICT: type("Strict", (Renewing,), {"key": STRICT})}
        self.networks[STRICT].ask(be_strict)
        super()._furnish()
        Account.objects.update(next_poll_at=self.now)

    def lay_out(self) -> Any:
        from tertulia.channels.models import Account

        super().lay_out()
        for account in Account.objects.all():  # a person has connected what was shut
            token = self.networks[account.kind].ask(newest_token)
            account.secrets = {**account.secrets, "refresh": token}
            account.expires_at, account.renew_lease_until = self.now + timedelta(minutes=2), None
            account.save()
        self._close_connections()

    def _judge(self, subject: Any, point: Point) -> Tally:
        from tertulia.channels.models import Account

        tally = Tally()
        for account in Account.objects.order_by("pk"):
            newest = self.networks[account.kind].ask(newest_token)
            is_good, asks = account.secrets["refresh"] == newest, account.state == "attention"
            tally.tried += 1
            tally.sent += is_good and not asks
            tally.unknown += asks
            tally.unknown_though_askable += asks and (account.kind == LENIENT or is_good)
            tally.lost += not is_good and not asks
            if (not is_good and not asks) or (asks and (account.kind == LENIENT or is_good)):
                held = account.secrets["refresh"]
                tally.wrong.append(f"{point}: {account.kind}: {held} of {newest}, {account.state}. {account.trouble}")
        self._close_connections()
        return tally


if __name__ == "__main__":
    if is_renewal := "--renewal" in sys.argv:
        sys.argv.remove("--renewal")
    main(Renewer if is_renewal else Reader, __doc__, "Renewing" if is_renewal else "Reading")
