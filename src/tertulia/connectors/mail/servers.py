"""Where an account's mail is read and sent, and with what one gets in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tertulia.connectors.contract import Account, Http, Reconnect, Refused, Wire

from . import texts

GOOGLE = ("imap.gmail.com", "smtp.gmail.com")
MICROSOFT = ("outlook.office365.com", "smtp.office365.com:587")
KNOWN = {
    "gmail.com": GOOGLE,
    "googlemail.com": GOOGLE,
    "icloud.com": ("imap.mail.me.com", "smtp.mail.me.com:587"),
    "me.com": ("imap.mail.me.com", "smtp.mail.me.com:587"),
    "yahoo.com": ("imap.mail.yahoo.com", "smtp.mail.yahoo.com"),
    "yahoo.es": ("imap.mail.yahoo.com", "smtp.mail.yahoo.com"),
    "gmx.es": ("imap.gmx.net", "mail.gmx.net"),
    "zoho.eu": ("imap.zoho.eu", "smtp.zoho.eu"),
}
"""By the domain of an address: those that many have and whose help pages name these servers."""
KEEPS_COPIES = ("smtp.gmail.com", "smtp.office365.com", "smtp-mail.outlook.com")
"""These put what they send into the Sent folder by themselves."""
AT_ONCE, AFTER_A_WORD = frozenset({993, 465}), frozenset({143, 587, 25})
OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"]+")


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    encryption: str
    """ "tls" from the first byte, "starttls" after a word, or "none", on the same machine only."""

    def dial(self, http: Http, *, within: float, largest: int | None = None) -> Wire:
        if self.encryption == "none" and self.host not in OWN_MACHINE:
            raise Refused(texts.NEVER_IN_THE_CLEAR)
        return http.dial(self.host, self.port, tls=self.encryption == "tls", within=within, largest=largest)

    @property
    def starts_tls(self) -> bool:
        return self.encryption == "starttls"


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    user: str
    password: str = field(default="")
    token: str = field(default="")

    @property
    def bearer(self) -> bytes:
        """As XOAUTH2 says it."""
        return f"user={self.user}\x01auth=Bearer {self.token}\x01\x01".encode()


def imap_of(account: Account) -> Server:
    return _server(account, "imap_server", 0, 993)


def smtp_of(account: Account) -> Server:
    return _server(account, "smtp_server", 1, 465)


def access_of(account: Account) -> Access:
    """Raises `Reconnect` where nothing was given yet."""
    user = word(account.settings.get("user")) or address_of(account)
    if kind_of(account) == "password":
        if not (password := account.secrets.get("password", "")):
            raise Reconnect(texts.NO_PASSWORD)
        return Access(user, password=password)
    if not (token := account.secrets.get("token", "")):
        raise Reconnect(texts.NO_CONSENT)
    return Access(user, token=token)


def kind_of(account: Account) -> str:
    """How one gets in: "password", "google" or "microsoft"."""
    return word(account.settings.get("access")) or "password"


def address_of(account: Account) -> str:
    """The mailbox's own address. Raises `Refused`."""
    address = word(account.settings.get("address"))
    if not is_address(address):
        raise Refused(texts.NO_ADDRESS)
    return address


def is_address(address: str) -> bool:
    """Whether mail can be sent there, in one line and to one person."""
    return len(address) <= 254 and address.isprintable() and bool(_ADDRESS.fullmatch(address))


def quiet(words: str, access: Access) -> str:
    """What a server said, in one short line, without what we told it."""
    for secret in (access.password, access.token):
        words = words.replace(secret, "•••") if secret else words
    return " ".join(words.split())[:200]


def word(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _server(account: Account, name: str, place: int, usual: int) -> Server:
    given = word(account.settings.get(name)) or _known(account, place)
    host, colon, port = given.rpartition(":") if given.count(":") == 1 else (given, "", "")
    if not host or (colon and not (port.isdecimal() and 0 < int(port) < 65_536)):
        raise Refused(texts.NO_SERVER)
    number = int(port) if port else usual
    return Server(host.lower(), number, word(account.settings.get("encryption")) or _usual_for(number))


def _known(account: Account, place: int) -> str:
    if (kind := kind_of(account)) != "password":
        return (GOOGLE if kind == "google" else MICROSOFT)[place]
    domain = address_of(account).rpartition("@")[2].lower()
    return KNOWN.get(domain, ("", ""))[place]


def _usual_for(port: int) -> str:
    return "starttls" if port in AFTER_A_WORD else "tls"
