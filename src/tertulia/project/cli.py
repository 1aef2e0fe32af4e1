"""`tertulia`, the one command. `python -m tertulia` is the same.

What needs Django is imported only by the commands that need it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Any

from . import console
from .console import _


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code: 0 done, 1 not possible (a sentence says why), 2 not understood."""
    args = list(sys.argv[1:] if argv is None else argv)
    console.speak()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tertulia.project.settings")
    if args[:1] == ["manage"]:
        sys.exit(_in_django("manage", args[1:]))
    options = _parser().parse_args(args)
    try:
        sys.exit(options.run(options))
    except KeyboardInterrupt:
        sys.exit(130)


def understand(options: argparse.Namespace) -> int:
    if options.stored:
        return _in_django("understand", options)
    lines = import_module("tertulia.understanding.lines")  # here, so that nothing else waits for numpy
    return int(lines.understand())


def in_django(options: argparse.Namespace) -> int:
    return _in_django(options.command, options)


def _in_django(command: str, options: Any) -> int:
    commands = import_module("tertulia.project.commands")
    return int(commands.run(command, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tertulia",
        description=_("The community manager's desk: every question answered, once, by whoever is best placed to."),
        epilog=_("Everything is kept in the folder TERTULIA_HOME. All settings: docs/settings.md."),
    )
    version = f"tertulia {metadata.version('tertulia')}"
    parser.add_argument(
        "--version", action="version", version=version, help=_("show program's version number and exit")
    )
    commands = parser.add_subparsers(dest="command", metavar=_("command"), required=True)
    _add_running(commands)
    _add_people(commands)
    _add_rest(commands)
    return parser


def _add_running(commands: Any) -> None:
    setup = _add(commands, "setup", _("make the data folder, the keys and the database, or update them"), in_django)
    setup.add_argument("--for-start", action="store_true", help=argparse.SUPPRESS)
    _add(
        commands,
        "start",
        _("set up what is missing and run everything: pages, live updates, background work"),
        in_django,
    )
    says = _("run pages and live updates alone; several machines may each run one on a shared PostgreSQL")
    _add(commands, "web", says, in_django)
    _add(commands, "work", _("run the background work alone: as many of them as you like, on any machine"), in_django)
    _add_keeping(commands)
    check = _add(commands, "check", _("say in a sentence each what is in order and what is not"), in_django)
    check.add_argument("--json", action="store_true", help=_("for programs"))


def _add_keeping(commands: Any) -> None:
    backup = _add(commands, "backup", _("write everything into one file, while all runs on"), in_django)
    backup.add_argument("file", nargs="?", default="", help=_("where to; it must not be there yet"))
    backup.add_argument("--with-keys", action="store_true", help=_("put the keys in as well"))
    backup.add_argument("--encrypt", action="store_true", help=_("under a passphrase, and with the keys"))
    backup.add_argument(
        "--daily", action="store_true", help=_("into the data folder instead, where older ones give way")
    )
    restore = _add(commands, "restore", _("put a backup in place; nothing is sent until people say so"), in_django)
    restore.add_argument("file", help=_("the backup"))
    restore.add_argument("--over", action="store_true", help=_("what is there already is put aside"))
    for command in (backup, restore):
        command.add_argument(
            "--passphrase-file", default="", metavar=_("FILE"), help=_("read the passphrase from there; - is the input")
        )
    move = _add(commands, "move", _("move everything to another database, and compare"), in_django)
    move.add_argument("--to", required=True, metavar="URL", help="postgres://user:password@host:5432/name")


def _add_people(commands: Any) -> None:
    user = _sub(commands, "user", _("the people who sign in"))
    add = _add(user, "add", _("add a person to a brand; asks for a password"), in_django)
    add.add_argument("email")
    add.add_argument("--name", required=True, help=_("as customers and colleagues see it"))
    add.add_argument("--brand", default="", help=_brand())
    add.add_argument("--role", default="expert", help=_("manager, expert, approver, director, reader or adviser"))
    _password(add)
    _add(user, "list", _("everybody, with brands and roles"), in_django)
    password = _add(user, "password", _("set a person's password; their open sessions end"), in_django)
    password.add_argument("email")
    _password(password)
    disable = _add(
        user, "disable", _("a person can no longer sign in, and what is open ends within a minute"), in_django
    )
    disable.add_argument("email")
    token = _sub(commands, "token", _("keys of the API"))
    create = _add(token, "create", _("make a key; it is shown once"), in_django)
    create.add_argument("name", help=_("what it is for"))
    create.add_argument("--brand", default="", help=_brand())
    create.add_argument("--by", default="", metavar=_("EMAIL"), help=_("whose key it is; not needed with one manager"))
    create.add_argument("--scopes", nargs="+", default=[], help=_("what it may do; without it, read everything"))


def _add_rest(commands: Any) -> None:
    channel = _sub(commands, "channel", _("connected channels"))
    _add(channel, "list", _("every channel and how it stands"), in_django)
    add = _add(channel, "add", _("connect a channel"), in_django)
    add.add_argument("kind", help=_("site, phone, …: the connectors that are installed"))
    add.add_argument("--name", default="", help=_("how the team calls it"))
    add.add_argument("--brand", default="", help=_brand())
    add.add_argument(
        "--set", dest="values", action="append", default=[], metavar=_("NAME=VALUE"), help=_("a setting of it")
    )
    pause = _add(channel, "pause", _("stop reading and writing there until it is resumed"), in_django)
    pause.add_argument("id", type=int, help=_("the number that channel list shows"))
    pause.add_argument("--resume", action="store_true", help=_("go on"))
    learning = _sub(commands, "learning", _("what a brand's corrections teach"))
    export = _add(learning, "export", _("print what was taught, as JSON lines"), in_django)
    export.add_argument("brand", nargs="?", default="", help=_brand())
    brings = _add(learning, "import", _("learn from such lines, all of them or none"), in_django)
    brings.add_argument("file", help=_("- is the input"))
    brings.add_argument("--brand", default="", help=_brand())
    erasures = _sub(commands, "erasures", _("people whose data was erased"))
    _add(erasures, "list", _("print the list that keeps them erased, as JSON lines"), in_django)
    replays = _add(erasures, "replay", _("after a backup was put back: erase again who is on such a list"), in_django)
    replays.add_argument("file", nargs="?", default="", help=_("without it, the erasures.jsonl of the data folder"))
    keys = _sub(commands, "keys", _("the key that stored secrets are encrypted with"))
    rotate = _add(keys, "rotate", _("make a new key and encrypt everything with it, while all runs on"), in_django)
    rotate.add_argument(
        "--wait", type=float, default=30, metavar=_("SECONDS"), help=_("for whoever is just writing; 30")
    )
    says = _("read lines of text from the input and print what each says, as JSON")
    read = _add(commands, "understand", says, understand)
    read.add_argument("--stored", action="store_true", help=_("read instead the messages that nobody has read yet"))
    _add(commands, "demo", _("add a brand with a sample company: conversations, people, a shop"), in_django)
    manage = commands.add_parser("manage", help=_("Django's own commands: manage help"), add_help=False)
    manage.add_argument("rest", nargs=argparse.REMAINDER)


def _brand() -> str:
    return _("the brand's short name; not needed when there is only one")


def _password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-file", metavar=_("FILE"), help=_("read the password from there; - is the input"))


def _sub(commands: Any, name: str, says: str) -> Any:
    parser = commands.add_parser(name, help=says, description=_sentence(says))
    return parser.add_subparsers(dest="verb", metavar=_("verb"), required=True)


def _add(commands: Any, name: str, says: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=says, description=_sentence(says))
    parser.set_defaults(run=run)
    return parser


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
