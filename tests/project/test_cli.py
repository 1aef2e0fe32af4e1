"""The command as people type it."""

from __future__ import annotations

import ast
import json
import re
from argparse import Namespace
from pathlib import Path

import pytest
from django.utils import translation

from conftest import PASSWORD
from tertulia.api.models import Token
from tertulia.channels.models import Account
from tertulia.project import administering, cli
from tertulia.project.sorry import Sorry
from tertulia.team.models import User


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


COMMANDS = ["setup", "start", "web", "work", "check", "user", "token", "channel", "keys", "learning", "demo"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main([command, "--help"])
    assert left.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 4


def test_help_and_what_is_wrong_are_said_in_spanish(capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)
    with pytest.raises(SystemExit):
        cli.main(["user", "--help"])
    said = capsys.readouterr().out
    assert ("uso: tertulia user", "las personas que entran" in said.lower()) == (said[:18], True)
    with pytest.raises(SystemExit):
        cli.main(["user", "add"])
    assert "faltan estos argumentos: email, --name" in capsys.readouterr().err


def test_an_unknown_command_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["fly"])
    assert left.value.code == 2
    assert "'setup', 'start'" in capsys.readouterr().err


def test_setup_again_changes_nothing_and_closes_the_folder(installation):
    assert installation.tertulia("setup").returncode == 0
    before = {path: path.read_bytes() for path in (installation.home / "keys").glob("*.key")}
    again = installation.tertulia("setup")

    assert (again.returncode, again.stderr) == (0, "")
    assert {path: path.read_bytes() for path in (installation.home / "keys").glob("*.key")} == before
    assert installation.home.stat().st_mode & 0o777 == 0o700


def test_manage_hands_over_to_django(installation):
    assert installation.tertulia("manage", "diffsettings", "--output", "unified").returncode == 0


def test_check_says_what_is_missing(installation):
    done = installation.tertulia("check", "--json")
    found = {each["name"]: each["is_ok"] for each in json.loads(done.stdout)}

    assert done.returncode == 1
    assert [name for name, is_ok in found.items() if not is_ok] == ["work"]


@pytest.mark.parametrize("address", ["postgres://nobody@127.0.0.1:1/none", "sqlite:////nowhere/at/all.sqlite3"])
def test_check_says_all_it_can_when_the_database_is_away(installation, address):
    away = {**installation.environment, "DATABASE_URL": address}
    done = type(installation)(installation.home, 0, away).tertulia("check", "--json")
    found = {each["name"]: each["is_ok"] for each in json.loads(done.stdout)}

    assert done.returncode == 1
    assert [found[name] for name in ("python", "static", "database", "migrations", "clock")] == [
        True,
        True,
        *[False] * 3,
    ]


def test_a_setting_that_makes_no_sense_is_a_sentence(installation):
    broken = {**installation.environment, "TERTULIA_PORT": "eighty"}
    done = type(installation)(installation.home, 0, broken).tertulia("setup")

    assert (done.returncode, done.stderr) == (1, "TERTULIA_PORT is 'eighty': write a whole number.\n")


def add(email: str, brand: str = "", role: str = "expert", file: str = "") -> None:
    options = Namespace(verb="add", email=email, name="Bruno", brand=brand, role=role, password_file=file)
    administering.user(options)


@pytest.fixture
def secret(tmp_path) -> str:
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    return str(tmp_path / "secret")


def test_a_person_is_added_and_gets_another_password(brand, secret, tmp_path, capsys):
    add("Bruno@Example.com", file=secret)
    user = User.objects.get(email="bruno@example.com")
    assert user.check_password(PASSWORD)

    (tmp_path / "other").write_text("otra frase bien larga")
    administering.user(Namespace(verb="password", email=user.email, password_file=str(tmp_path / "other")))
    assert User.objects.get().check_password("otra frase bien larga")
    administering.user(Namespace(verb="list"))
    assert "bruno@example.com  Bruno  horno-candela: expert" in capsys.readouterr().out


def test_a_person_is_not_added_twice(brand, secret):
    add("bruno@example.com", file=secret)
    with pytest.raises(Sorry, match="belongs to Horno Candela already"):
        add("bruno@example.com", file=secret)


def test_with_several_brands_it_has_to_be_said_which(brand, other_brand, secret):
    with pytest.raises(Sorry, match="Which brand"):
        add("bruno@example.com", file=secret)
    assert not User.objects.exists()


def test_there_is_no_such_role(brand, secret):
    with pytest.raises(Sorry, match="There is no role boss"):
        add("bruno@example.com", role="boss", file=secret)


def test_a_disabled_person_can_no_longer_sign_in(alba, client):
    administering.user(Namespace(verb="disable", email=alba.email))
    assert not client.login(username=alba.email, password=PASSWORD)


def test_a_key_is_made_for_the_only_manager(alba, brand, capsys):
    administering.token(Namespace(name="Informe", brand="", by="", scopes=["brand:read"]))

    assert capsys.readouterr().out.splitlines()[1].startswith("tt_")
    assert Token.objects.get().user == alba


def test_a_channel_is_added_with_its_secret_and_paused(brand, capsys):
    administering.channel(Namespace(verb="add", kind="site", name="", brand="", values=[]))
    account = Account.objects.get()
    assert (account.name, len(account.secrets["signing"]) > 40) == ("Tu página web", True)

    administering.channel(Namespace(verb="pause", id=account.pk, resume=False))
    assert Account.objects.get().state == "paused"


def test_a_channel_that_is_not_installed_is_refused(brand):
    with pytest.raises(Sorry, match="There is no connector pigeon"):
        administering.channel(Namespace(verb="add", kind="pigeon", name="", brand="", values=[]))
    assert not Account.objects.exists()


def test_the_sample_company_needs_somebody_to_look_at_it(db):
    with pytest.raises(Sorry, match="Set the desk up first"):
        administering.demo(Namespace())


def test_what_was_taught_goes_out_and_comes_in(brand, tmp_path, capsys):
    line = '{"text": "Hola", "field": "kind", "value": "other", "at": null}\n'
    (tmp_path / "a.jsonl").write_text(line)
    administering.learning(Namespace(verb="import", file=str(tmp_path / "a.jsonl"), brand=""))
    capsys.readouterr()
    administering.learning(Namespace(verb="export", brand=brand.slug))
    assert capsys.readouterr().out == line
    with pytest.raises(Sorry, match="can't be read"):
        administering.learning(Namespace(verb="import", file=str(tmp_path / "none"), brand=""))
    (tmp_path / "b.jsonl").write_text("{}")
    with pytest.raises(Sorry, match="1"):
        administering.learning(Namespace(verb="import", file=str(tmp_path / "b.jsonl"), brand=""))


# In the language of its help

SOURCE = Path(cli.__file__).parent
TOLD_TO_PEOPLE = {"Sorry", "ImproperlyConfigured", "PortTaken", "_say", "_fail", "getpass", "write"}
LOGS = {"supervisor.py"}
"""What it writes is its log, English as all logs."""
TRANSLATES = {"_", "gettext", "ngettext"}


def plain_words(node: ast.AST) -> list[str]:
    """What reads like words and stands in no translation."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TRANSLATES:
        return []
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) and re.search(r"[a-z]{2} [a-z]", node.value) else []
    return [text for child in ast.iter_child_nodes(node) for text in plain_words(child)]


@pytest.mark.parametrize("file", sorted(path.name for path in SOURCE.glob("*.py") if path.name not in LOGS))
def test_no_command_says_what_nobody_translated(file):
    calls = (node for node in ast.walk(ast.parse((SOURCE / file).read_text())) if isinstance(node, ast.Call))
    told = (
        call for call in calls if (getattr(call.func, "id", "") or getattr(call.func, "attr", "")) in TOLD_TO_PEOPLE
    )
    assert [text for call in told for text in plain_words(call)] == []


def test_what_commands_print_is_spanish_where_their_help_is(brand, secret, capsys):
    with translation.override("es"):
        add("bruno@example.com", file=secret)
        administering.user(Namespace(verb="list"))
        administering.user(Namespace(verb="disable", email="bruno@example.com"))
        administering.channel(Namespace(verb="add", kind="site", name="", brand="", values=[]))
        administering.channel(Namespace(verb="list"))
        with pytest.raises(Sorry, match="Horno Candela no tiene quien la gestione"):
            administering.token(Namespace(name="Informe", brand="", by="", scopes=[]))
    said = capsys.readouterr().out
    assert "Ahora Bruno forma parte de Horno Candela, como experto." in said
    assert re.search(r"CORREO +NOMBRE +MARCAS", said)
    assert "Bruno ya no puede entrar. Lo que escribió se queda." in said
    assert re.search(r"NÚMERO +MARCA +TIPO +NOMBRE +ESTADO", said)
    assert "activo" in said.splitlines()[-1]


def test_the_environment_chooses_the_language_before_there_is_django(installation):
    spanish = {**installation.environment, "LC_ALL": "es_ES.UTF-8"}
    spanish.pop("LANGUAGE", None)
    told = type(installation)(installation.home, 0, spanish)
    assert told.tertulia("setup").returncode == 0
    assert "No hay ninguna marca x." in told.tertulia("token", "create", "Informe", "--brand", "x").stderr
    assert "✓ Python" in told.tertulia("check").stdout
    assert "La base de datos está al día." in told.tertulia("check").stdout
    broken = type(installation)(installation.home, 0, {**spanish, "TERTULIA_PORT": "ochenta"}).tertulia("setup")
    assert broken.stderr == "TERTULIA_PORT vale 'ochenta': escribe un número entero.\n"
