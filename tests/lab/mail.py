"""A real mail service on 127.0.0.1: Dovecot (IMAP, sieve) and Postfix (a door for the world's mail, and submission).

They are Debian's packages; where they are missing and root asks, they are installed, without starting a service of the
system. Their data are made anew on every start, in a folder of their own. Nothing leaves the machine: mail to other
domains comes back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import imaplib
import json
import os
import shutil
import smtplib
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .ground import Unavailable, alone, end, free_port, install, listens, run, start, wait_for

NAME = "mail"
PACKAGES = ("dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve", "postfix")
COMPANY, DIEGO, ABSENT, FULL = "hola@horno.test", "diego@correo.test", "ausente@correo.test", "llena@correo.test"
PASSWORD = "clave-del-laboratorio"
OAUTH_SECRET = "laboratory-secret-of-at-least-32-bytes"

DOVECOT = """
instance_name = {home}
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
postmaster_address = postmaster@horno.test
hostname = mail.horno.test
recipient_delimiter = +
submission_host = 127.0.0.1:{mx}
ssl = yes
ssl_cert = <{home}/server.pem
ssl_key = <{home}/server.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 1 secs
auth_username_format = %Lu
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {home}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = username_format=%u {home}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {home}/users
}}
first_valid_uid = {uid}
mail_location = maildir:~/Maildir
mail_plugins = $mail_plugins quota
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
}}
protocol imap {{
  mail_plugins = $mail_plugins imap_quota
  mail_max_userip_connections = 100
}}
protocol lmtp {{
  mail_plugins = $mail_plugins sieve
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=200M
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {sasl}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""
OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={home}/keys/
username_attribute = email
username_format = %u
"""
POSTFIX = """
compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/postfix-data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = {home}/postfix.log
maillog_file_prefixes = {home}
myhostname = mail.horno.test
mydomain = horno.test
myorigin = horno.test
mydestination =
mynetworks = 192.0.2.0/30
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
disable_dns_lookups = yes
alias_maps =
alias_database =
local_transport = error:5.1.1 there are no local users
local_recipient_maps =
virtual_mailbox_domains = horno.test, correo.test
virtual_mailbox_maps = texthash:{home}/postfix/mailboxes
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
virtual_mailbox_limit = 0
recipient_delimiter = +
default_transport = error:5.4.4 the laboratory delivers nowhere else
relay_transport = $default_transport
relay_domains =
transport_maps = texthash:{home}/postfix/transport
message_size_limit = 26214400
smtpd_tls_security_level = may
smtpd_tls_cert_file = {home}/server.pem
smtpd_tls_key_file = {home}/server.pem
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_sender_login_maps = texthash:{home}/postfix/logins
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
"""
MASTER = """
127.0.0.1:{mx} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_security_level=encrypt
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_sender_restrictions=reject_authenticated_sender_login_mismatch
127.0.0.1:{smtps} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_sender_restrictions=reject_authenticated_sender_login_mismatch
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
VACATION = """
require ["vacation"];
vacation :days 1 :subject "Fuera de la oficina" "Estoy de vacaciones hasta el lunes.";
"""


@dataclass(frozen=True)
class Post:
    """The running service. `trust` knows its certificate."""

    ports: dict[str, int]
    trust: ssl.SSLContext

    def deliver(self, mail: bytes, sender: str, to: str = COMPANY) -> None:
        """What the world does: hand it to whoever is in charge of the domain."""
        with smtplib.SMTP("127.0.0.1", self.ports["mx"], timeout=15) as line:
            line.sendmail(sender, [to], mail)

    def write(self, person: str, text: str, *, subject: str = "Hola", to: str = COMPANY, **headers: str) -> str:
        """As `deliver`, for a plain mail; gives its Message-ID."""
        mail = EmailMessage(policy=SMTP)
        id = f"{time.monotonic_ns()}@{person.partition('@')[2]}"
        mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = person, to, subject, f"<{id}>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        self.deliver(mail.as_bytes(), person, to)
        return id

    @contextmanager
    def mailbox(self, user: str) -> Iterator[imaplib.IMAP4_SSL]:
        """As its owner sees it, in a program of their own."""
        box = imaplib.IMAP4_SSL("localhost", self.ports["imaps"], ssl_context=self.trust, timeout=15)
        try:
            box.login(user, PASSWORD)
            yield box
        finally:
            box.logout()


def token(user: str, *, secret: str = OAUTH_SECRET, seconds: int = 300) -> str:
    """An access token that Dovecot can check by itself."""
    now = int(time.time())
    claims = {"email": user, "sub": user, "iat": now, "exp": now + seconds}
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    said = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    seal = hmac.new(secret.encode(), said, hashlib.sha256).digest()
    return (said + b"." + base64.urlsafe_b64encode(seal).rstrip(b"=")).decode()


@contextmanager
def running() -> Iterator[Post]:
    """Raises `Unavailable`."""
    prepare()
    ports = {name: free_port() for name in ("imap", "imaps", "lmtp", "sasl", "mx", "submission", "smtps")}
    home = Path(tempfile.mkdtemp(prefix="tertulia-mail-"))  # short: sockets with long names can't be opened
    home.chmod(0o755)
    postfix = ["/usr/sbin/postfix", "-c", str(home / "postfix")]
    processes = []
    try:
        _furnish(home, ports)
        processes.append(start(["dovecot", "-F", "-c", str(home / "dovecot.conf")], home / "start.log"))
        processes.append(start([*postfix, "start-fg"], home / "start.log"))
        for name, port in ports.items():
            wait_for(lambda port=port: listens(port), 20, f"{name}: {_last_words(home)}")
        yield Post(ports, ssl.create_default_context(cafile=home / "server.pem"))
    finally:
        subprocess.run([*postfix, "stop"], capture_output=True, timeout=30)  # its first process is a shell
        for process in reversed(processes):
            end(process)
        shutil.rmtree(home, ignore_errors=True)


def _last_words(home: Path) -> str:
    return " ".join(path.read_text(errors="replace")[-200:] for path in home.glob("*.log"))


def prepare() -> None:
    if os.geteuid() != 0:
        raise Unavailable("Dovecot and Postfix have to be started by root")
    if not (shutil.which("dovecot") and Path("/usr/lib/postfix/sbin/master").exists() and shutil.which("sievec")):
        with alone(NAME) as folder:
            (folder / "installed").unlink(missing_ok=True)  # they belong to the system and may be gone since
            install(NAME, " ".join(PACKAGES), _make)


def _make() -> None:
    guard = Path("/usr/sbin/policy-rc.d")
    is_ours = not guard.exists()
    if is_ours:
        guard.write_text("#!/bin/sh\nexit 101\n")  # a package must not start a service of the system
        guard.chmod(0o755)
    try:
        run(["debconf-set-selections"], "postfix postfix/main_mailer_type select No configuration\n")
        quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *PACKAGES], env=quietly)
    finally:
        if is_ours:
            guard.unlink()


def _furnish(home: Path, ports: dict[str, int]) -> None:
    uid = 5000
    facts = {"home": str(home), "uid": uid, **ports}
    (home / "postfix").mkdir()
    (home / "spool").mkdir()
    (home / "postfix-data").mkdir(mode=0o700)
    shutil.chown(home / "postfix-data", "postfix")
    files = {
        "dovecot.conf": DOVECOT,
        "oauth2.conf": OAUTH2,
        "postfix/main.cf": POSTFIX,
        "postfix/master.cf": MASTER,
    }
    for name, text in files.items():
        (home / name).write_text(text.format(**facts))
    _certify(home / "server.pem")
    keys = home / "keys/default/HS256"
    keys.mkdir(parents=True)
    (keys / "default").write_bytes(base64.b64encode(OAUTH_SECRET.encode()))
    people = (COMPANY, DIEGO, ABSENT, FULL)
    quota = {FULL: "userdb_quota_rule=*:bytes=1"}
    users = [f"{one}:{{PLAIN}}{PASSWORD}:{uid}:{uid}::{home}/boxes/{one}::{quota.get(one, '')}" for one in people]
    (home / "users").write_text("\n".join(users) + "\n")
    shutil.chown(home / "users", group="dovecot")
    (home / "users").chmod(0o640)
    (home / "postfix/mailboxes").write_text("".join(f"{one} OK\n" for one in people))
    (home / "postfix/logins").write_text("".join(f"{one} {one}\n" for one in people))
    (home / "postfix/transport").write_text(
        f"rebota.test lmtp:inet:127.0.0.1:{ports['lmtp']}\nluego.test retry:4.7.1 greylisted, try again in 90 seconds\n"
    )
    absent = home / "boxes" / ABSENT
    absent.mkdir(parents=True)
    (absent / ".dovecot.sieve").write_text(VACATION)
    for path in (home / "boxes", *(home / "boxes").rglob("*")):
        os.chown(path, uid, uid)


def _certify(file: Path) -> None:
    """A certificate for localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + made.public_bytes(pem))
    file.chmod(0o600)
