"""How fast mails are read, each in a process of its own for strangers' bytes, folded, stored and found again."""

from __future__ import annotations

import random
import time
from base64 import encodebytes
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from email.utils import format_datetime
from html import escape
from quopri import encodestring

from tertulia.channels import search
from tertulia.channels.models import Account, Message
from tertulia.connectors.mail.fetching import Mail
from tertulia.connectors.mail.sorting import READ, Sorter
from tertulia.core import clock, jobs, sandbox
from tertulia.core.models import Job
from tertulia.flows.inbound import intake, process

from .data import END, Language, company_brand
from .figures import Figure, typical

GOALS = {100: 500, 1: 250}
"""Mails a second, by how many come at once; 100 are what the connector takes together."""
ROUNDS = 3
OURS = "Hola:\n\nTu pedido salió ayer y llegará el miércoles.\n\nUn saludo,\nAlba\nHorno Candela"
_STYLE = "<style><!-- p.MsoNormal{margin:0cm;font-size:11.0pt;font-family:Calibri} --></style>"
_OUTLOOK = '<p class="MsoNormal"><span style="font-size:11.0pt;color:#1F497D">{}<o:p></o:p></span></p>'


class Correspondents:
    """What arrives in the mailbox of a shop: answers from Gmail, Outlook and iPhones with all that was said before,
    first mails in plain text, and a picture with every tenth. Each of `tokens` stands in one mail only."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._language = Language(self._chance)
        self._number = seed * 1_000_000
        self.tokens: list[str] = []

    def write(self, count: int) -> list[bytes]:
        return [self._mail() for _ in range(count)]

    def _mail(self) -> bytes:
        self._number += 1
        token = f"unico{self._number}"
        self.tokens.append(token)
        own = "\n\n".join([self._language.say()[0], self._language.say()[0], token])
        makes = (self._gmail, self._outlook, self._iphone, self._plain)
        heads, body = self._chance.choices(makes, (45, 20, 20, 15))[0](own)
        if self._number % 10 == 0:
            picture = encodebytes(self._chance.randbytes(120_000)).decode()
            body = (
                f"--M\nContent-Type: {heads}\n\n{body}\n--M\nContent-Type: image/jpeg\n"
                f'Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="foto.jpg"\n\n'
                f"{picture}\n--M--\n"
            )
            heads = 'multipart/mixed; boundary="M"'
        return f"{self._head()}Content-Type: {heads}\n\n{body}".replace("\n", "\r\n").encode()

    def _head(self) -> str:
        who, at = self._chance.randint(1, 20_000), END + timedelta(seconds=self._number % 1_000_000)
        received = "".join(
            f"Received: from mx{hop}.example (mx{hop}.example [192.0.2.{hop}])\n\tby mx.example with ESMTPS id x{hop};"
            f"\n\t{format_datetime(at)}\n" for hop in range(4)
        )  # fmt: skip
        return (
            f"{received}DKIM-Signature: v=1; a=rsa-sha256; d=correo.example; s=a; b={'x' * 340}\n"
            f"From: =?utf-8?Q?Luc=C3=ADa_{who}?= <p{who}@correo.example>\nTo: <hola@candela.example>\n"
            f"Subject: =?utf-8?Q?Re:_Pedido_n=C2=BA_{who}?=\nDate: {format_datetime(at)}\n"
            f"Message-ID: <{self._number}@correo.example>\nReferences: <a{who}@candela.example>\nMIME-Version: 1.0\n"
        )

    def _gmail(self, own: str) -> tuple[str, str]:
        said = "El lun, 3 nov 2025 a las 10:00, Horno Candela (<hola@candela.example>) escribió:"
        signed = "\n".join(f"> {line}" for line in self._earlier().split("\n"))
        html = (
            f'<div dir="ltr">{_divs(own)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
            f'class="gmail_attr">{escape(said)}<br></div><blockquote class="gmail_quote" style="margin:0 0 0 0.8ex">'
            f"{_divs(self._earlier())}</blockquote></div>"
        )
        return _alternative(f"{own}\n\n{said}\n\n{signed}\n", html)

    def _outlook(self, own: str) -> tuple[str, str]:
        rows = {
            "De:": "Horno Candela <hola@candela.example>", "Enviado el:": "lunes, 3 de noviembre de 2025 10:00",
            "Para:": "Lucía", "Asunto:": "RE: Pedido",
        }  # fmt: skip
        head = "<br>".join(f"<b><span>{name}</span></b> {escape(said)}" for name, said in rows.items())
        plain_head = "\n".join(f"{name} {said}" for name, said in rows.items())
        border = '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        earlier = self._earlier()
        html = (
            f"<html><head>{_STYLE * 8}</head><body><div class=WordSection1>{_paragraphs(own)}<div>{border}"
            f'<p class="MsoNormal">{head}</p></div></div>{_paragraphs(earlier)}</div></body></html>'
        )
        return _alternative(f"{own}\n\n{plain_head}\n\n{earlier}\n", html)

    def _iphone(self, own: str) -> tuple[str, str]:
        said = "El 3 nov 2025, a las 10:00, Horno Candela <hola@candela.example> escribió:"
        signed = "\n".join(f"> {line}" for line in [said, "", *self._earlier().split("\n")])
        html = (
            f'<html><body dir="auto">{escape(own)}<br><br><div dir="ltr">Enviado desde mi iPhone</div>'
            f'<div dir="ltr"><br><blockquote type="cite">{escape(said)}<br><br></blockquote></div>'
            f'<blockquote type="cite"><div dir="ltr">{_divs(self._earlier())}</div></blockquote></body></html>'
        )
        return _alternative(f"{own}\n\nEnviado desde mi iPhone\n\n{signed}\n", html)

    def _plain(self, own: str) -> tuple[str, str]:
        return "text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", _printable(own)

    def _earlier(self) -> str:
        return "\n".join([OURS, *(self._language.say()[0] for _ in range(self._chance.randint(2, 30)))])


def _divs(text: str) -> str:
    return "".join(f"<div>{escape(line) or '<br>'}</div>" for line in text.split("\n"))


def _paragraphs(text: str) -> str:
    return "\n".join(_OUTLOOK.format(escape(line) or "&nbsp;") for line in text.split("\n"))


def _alternative(plain: str, html: str) -> tuple[str, str]:
    parts = "".join(
        f"--A\nContent-Type: {kind}; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n{_printable(said)}\n"
        for kind, said in (("text/plain", plain), ("text/html", html))
    )
    return 'multipart/alternative; boundary="A"', f"{parts}--A--\n"


def _printable(text: str) -> str:
    return encodestring(text.encode()).decode()


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    company = company_brand()
    account = Account.objects.create(
        brand=company, kind="mail", name="Correo", created_at=END, settings={"address": "hola@candela.example"},
        secrets={"signing": "a" * 43}, state=Account.State.PAUSED,  # no server stands behind it
    )  # fmt: skip
    people = Correspondents(seed=1)
    sample = people.write(500)
    _take_in(account, sample)
    yield Figure("mails: mean size", sum(map(len, sample)) / len(sample) / 1_000, "kB")
    rounds = [_timed(lambda: sandbox.call_many(READ, sample), len(sample)) for _ in range(ROUNDS)]
    yield Figure("mails, only read and folded", typical(wall for wall, _ in rounds), "mails/s", better="more")
    most = 200 if scale == "quick" else 2_000
    for batch, goal in GOALS.items():
        rounds = [_round(account, people, batch, most // batch) for _ in range(ROUNDS)]
        what = f"mails, {batch} at once" if batch > 1 else "mails, one by one"
        limit = "500 rows in each durable commit" if batch > 1 else "durable commits, one row each"
        yield Figure(what, typical(wall for wall, _ in rounds), "mails/s", goal, "more", limit)
        yield Figure(f"{what}: own CPU time", typical(cpu for _, cpu in rounds), "ms each")
        yield Figure(f"{what}: then understood, labelled and routed", _processed(batch * most // batch), "mails/s")
    _look_up(account, people)
    Job.objects.filter(state=Job.State.WAITING).delete()


def _round(account: Account, people: Correspondents, batch: int, batches: int) -> tuple[float, float]:
    given = [people.write(batch) for _ in range(batches)]

    def take_all() -> None:
        for mails in given:
            _take_in(account, mails)

    return _timed(take_all, batch * batches)


def _processed(count: int) -> float:
    """How many of the mails that came last a worker with one thread sees to in a second."""
    waiting = Job.objects.filter(task=process.task_name, state=Job.State.WAITING).order_by("-id")  # type: ignore[attr-defined]
    number = 0
    for job in waiting:
        number += len(job.args["conversation_ids"])
        if number >= count:
            Job.objects.filter(state=Job.State.WAITING, id__lt=job.pk).delete()
            break
    started = time.perf_counter()
    while jobs.run_due(clock.now()):
        pass
    return number / (time.perf_counter() - started)


def _timed(call: Callable[[], object], count: int) -> tuple[float, float]:
    """Mails a second, and milliseconds of this process's processor for each; the child that reads them has its own."""
    started, spent = time.perf_counter(), time.process_time()
    call()
    wall, cpu = time.perf_counter() - started, time.process_time() - spent
    return count / wall, cpu * 1_000 / count


def _take_in(account: Account, mails: Sequence[bytes]) -> None:
    """As the connector and the reader of accounts do it, but for the mail server."""
    sorter = Sorter(account)
    fetched = [Mail("INBOX", uid, END, content) for uid, content in enumerate(mails, 1)]
    said = sandbox.call_many(READ, mails)
    envelopes = [sorter.envelope(mail, each, is_sent=False) for mail, each in zip(fetched, said, strict=True)]
    intake(account, [envelope for envelope in envelopes if envelope], at=END, cursor="x")


def _look_up(account: Account, people: Correspondents) -> None:
    """Every mail is there, found by a word of its own and without what it quotes; else the figures say nothing."""
    if Message.objects.filter(account=account).count() != len(people.tokens):
        raise RuntimeError("Mails were lost or doubled.")
    for token in random.Random(1).sample(people.tokens, 20):
        [found] = search.find(account.brand_id, token)
        text = Message.objects.get(pk=found).text
        if token not in text or OURS.split("\n")[2] in text:
            raise RuntimeError(f"Not folded: {text}")
