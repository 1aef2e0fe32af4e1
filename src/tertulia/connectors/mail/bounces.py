"""Mail that machines write: what came back, and what nobody waits behind."""

from __future__ import annotations

import re
from email.message import Message
from typing import Any

from .headers import Heads, ids, one_line, words
from .parts import children

_MACHINES = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon|mailerdaemon)@?")
_NO_REPLY = re.compile(
    r"(?:no|do[-_.]?not|nao|non|ne[-_.]?pas)[-_.+]?(?:reply|respond(?:er|a)?|contest(?:ar|e)|repondre|rispondere)(?![a-z])"
)
_ABSENT = re.compile(
    r"^(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|respuesta autom[áa]tica"
    r"|fuera de (?:la )?oficina|resposta autom[áa]tica|réponse automatique|automatische antwort|abwesenheitsnotiz"
    r"|risposta automatica)\s*:",
    re.IGNORECASE,
)
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_CODE = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
_FIELD = re.compile(r"^([A-Za-z-]{2,40}):[ \t]*(.*(?:\r?\n[ \t].*)*)", re.MULTILINE)
_NAMED_ID = re.compile(r"^[ \t>]*Message-I[dD]:\s*<([^<>\s]{3,500})>", re.MULTILINE | re.IGNORECASE)
_ADDRESS = re.compile(r"<?([^\s<>()\[\]\\,;:@\"']{1,128}@[^\s<>()\[\]\\,;:@\"']{1,255}\w)>?")
_RETURNED = re.compile(
    r"qmail-send program|returned to sender|undeliver(?:ed|able)|delivery (?:has )?(?:failed|failure|status)"
    r"|could ?n[o']t be delivered|could not be delivered|mail delivery (?:failed|system|subsystem)|failure notice"
    r"|no se (?:ha )?(?:pudo|podido|puede) entregar|no se ha entregado|permanent(?:ly)? (?:error|failed|fatal)"
    r"|returned mail|unzustellbar|non remis|mancata consegna|não foi possível entregar",
    re.IGNORECASE,
)
LONGEST_READ = 200_000
LONGEST_SAID = 300
DEEPEST, MOST_PARTS = 5, 50


def read(mail: Message, heads: Heads, sender: str, text: str) -> dict[str, Any] | None:
    """What came back: {"message_id", "recipient", "status", "permanent", "says"}; None when nothing did."""
    reports = [_source(part) for part in _parts(mail) if part.get_content_type().endswith("/delivery-status")]
    if blocks := _blocks("\n\n".join(reports)):
        return _standard(mail, heads, blocks, text)
    is_machine = bool(_MACHINES.match(sender)) or _is_from_nobody(heads) or "x-failed-recipients" in heads
    if is_machine and _RETURNED.search(f"{heads.words('subject')}\n{text[:5_000]}"):
        return _loose(mail, heads, text)
    return None


def _blocks(report: str) -> list[dict[str, str]]:
    """What a report says of each recipient; some programs call their prose a report too."""
    blocks = [_fields(block) for block in re.split(r"\r?\n\s*\r?\n", report[:LONGEST_READ])]
    return [block for block in blocks if "final-recipient" in block or "action" in block]


def _standard(mail: Message, heads: Heads, blocks: list[dict[str, str]], text: str) -> dict[str, Any] | None:
    """RFC 3464. Of a report on several recipients, the first one that failed."""
    failed = next((block for block in blocks if block.get("action", "failed").lower().startswith("failed")), None)
    block = failed or next((block for block in blocks if block["action"].lower().startswith("delayed")), None)
    if block is None:
        return None  # delivered, relayed, expanded: nothing came back
    recipient = block.get("final-recipient") or block.get("original-recipient") or heads.first("x-failed-recipients")
    says = block.get("diagnostic-code", "")
    found = _STATUS.search(block.get("status", "")) or _STATUS.search(says)
    status = found[1] if found else "5.0.0" if failed else "4.0.0"
    return _told(mail, heads, recipient, status, _reason(says) or _first_words(text))


def _loose(mail: Message, heads: Heads, text: str) -> dict[str, Any]:
    """qmail, Exim, Exchange and others: prose, with the mail that came back somewhere below it."""
    above = re.split(
        r"^-+ ?(?:Below this line|This is a copy|Original message)|^Message-I[dD]:", text, maxsplit=1, flags=re.M
    )[0]
    found, code = _STATUS.search(above), _CODE.search(above)
    status = found[1] if found else f"{code[1]}.0.0" if code else "5.0.0"
    recipient = heads.first("x-failed-recipients")
    if not recipient:
        recipient = next((a[1] for a in _ADDRESS.finditer(above) if not _MACHINES.match(a[1].lower())), "")
    return _told(mail, heads, recipient, status, _first_words(above))


def _told(mail: Message, heads: Heads, recipient: str, status: str, says: str) -> dict[str, Any]:
    found = _ADDRESS.search(recipient.rpartition(";")[2])
    return {
        "message_id": _returned_id(mail, heads),
        "recipient": found[1].lower() if found else "",
        "status": status,
        "permanent": not status.startswith("4"),
        "says": says[:LONGEST_SAID],
    }


def _returned_id(mail: Message, heads: Heads) -> str:
    """The Message-ID of what came back: attached, copied into the text, or what the notice says it answers."""
    for part in _parts(mail):
        if part is not mail and part.get_content_type() == "message/rfc822":
            for inner in children(part):
                if found := ids(Heads(inner).first("message-id")):
                    return found[0]
    for part in _parts(mail):
        if not part.is_multipart() and (named := _NAMED_ID.search(_source(part)[:LONGEST_READ])):
            return named[1]
    answered = ids(heads.first("in-reply-to")) or ids(heads.first("references"))
    return answered[-1] if answered else ""


def _parts(mail: Message, depth: int = 0) -> list[Message]:
    """The mail and its parts, but not what stands inside attached mails."""
    parts = [mail]
    if depth < DEEPEST and mail.get_content_type() != "message/rfc822":
        for child in children(mail)[:MOST_PARTS]:
            parts += _parts(child, depth + 1)
    return parts


def _source(part: Message) -> str:
    decoded = part.get_payload(decode=True)
    return decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""


def _fields(block: str) -> dict[str, str]:
    return {name.lower(): one_line(words(value)) for name, value in _FIELD.findall(block)}


def _reason(diagnostic: str) -> str:
    return re.sub(r"^[\w-]+;\s*", "", diagnostic)


def _first_words(text: str) -> str:
    return one_line(text[:2_000])[:LONGEST_SAID]


# ── automatic mail ─────────────────────────────────────────────────────────


def kind(heads: Heads, sender: str, bounce: dict[str, Any] | None) -> str:
    """ "bounce", "reply" (an absence note), "bulk" (nobody waits behind it) or "" for what a person wrote."""
    if bounce:
        return "bounce"
    submitted = heads.first("auto-submitted").lower().partition(";")[0].strip()
    precedence = heads.first("precedence").lower()
    if (
        submitted.startswith("auto-replied")
        or _ABSENT.match(heads.words("subject"))
        or precedence in {"auto_reply", "auto-reply"}
        or any(name in heads for name in ("x-autoreply", "x-autorespond", "x-autoresponder"))
        or _is_from_nobody(heads)
        or _MACHINES.match(sender)
        or heads.first("content-type").lower().startswith("multipart/report")
    ):
        return "reply"
    suppressed = {word.strip() for word in heads.first("x-auto-response-suppress").lower().split(",")}
    if (
        submitted not in {"", "no"}
        or precedence in {"bulk", "junk", "list"}
        or suppressed & {"all", "oof", "autoreply"}
        or any(name in heads for name in ("list-id", "list-unsubscribe", "feedback-id"))
        or _NO_REPLY.match(sender)
    ):
        return "bulk"
    return ""


def list_of(heads: Heads) -> str:
    """The address of the mailing list it came by; "" when by none."""
    found = _ADDRESS.search(heads.first("list-post")) or _ADDRESS.search(heads.first("list-id"))
    return found[1].lower().removeprefix("mailto:") if found else ""


def _is_from_nobody(heads: Heads) -> bool:
    return heads.first("return-path") == "<>"
