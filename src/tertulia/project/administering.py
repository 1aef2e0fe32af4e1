"""What can be arranged from the console: people, keys of the API, channels, the sample company."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.api import actions as api
from tertulia.api.scopes import SCOPES
from tertulia.brand.models import Brand
from tertulia.channels import actions as channels
from tertulia.channels import erasures
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.core import clock, crypto, rotation
from tertulia.core.sentences import told
from tertulia.flows import first_run, personal
from tertulia.inbox import rereading
from tertulia.team.models import Membership, User
from tertulia.team.permissions import Role
from tertulia.understanding import lessons

from .sorry import Sorry


def user(options: argparse.Namespace) -> None:
    {"add": _add_user, "list": _list_users, "password": _set_password, "disable": _disable}[options.verb](options)


def token(options: argparse.Namespace) -> None:
    brand = _brand(options.brand)
    try:
        _token, secret = api.create_token(
            user=_owner(options.by, brand),
            brand=brand,
            name=options.name,
            scopes=options.scopes or [scope for scope in SCOPES if scope.endswith(":read")],
            expires_at=None,
            at=clock.now(),
        )
    except api.Problem as problem:
        raise Sorry(str(problem)) from None
    _say(_("This key is shown once; keep it safe:") + f"\n{secret}")


def channel(options: argparse.Namespace) -> None:
    {"list": _list_channels, "add": _add_channel, "pause": _pause_channel}[options.verb](options)


def learning(options: argparse.Namespace) -> None:
    brand = _brand(options.brand)
    if options.verb == "export":
        sys.stdout.writelines(lessons.exported(brand))
        return
    try:
        source = sys.stdin.buffer if options.file == "-" else open(options.file, "rb")  # noqa: SIM115
        with source:
            content = source.read(lessons.LARGEST + 1)
    except OSError as error:
        raise Sorry(_("{file} can't be read: {why}.").format(file=options.file, why=error.strerror)) from None
    name = Path(options.file).name
    try:
        found = lessons.import_lines(brand=brand, content=content, name=name, by=None, at=clock.now())
    except lessons.NotReadable as problem:
        raise Sorry("\n".join(problem.problems)) from None
    text = ngettext("It learns from {n} example.", "It learns from {n} examples.", found.size)
    _say(text.format(n=found.size))


def list_of_erasures(options: argparse.Namespace) -> None:
    if options.verb == "list":
        sys.stdout.write(erasures.written())
        return
    path = Path(options.file or settings.HOME / erasures.FILE)
    try:
        found = personal.replay(path.read_text(), at=clock.now())
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or _("it is no text")
        raise Sorry(_("{file} can't be read: {why}.").format(file=path, why=why)) from None
    except erasures.NotThisList as problem:
        raise Sorry(str(problem)) from None
    except personal.Underway:
        raise Sorry(_("Something is just leaving for one of them. Stop the work process, or try again.")) from None
    _say(ngettext("{n} person was erased again.", "{n} people were erased again.", found.erased).format(n=found.erased))
    for member in found.undecided:
        says = _("Person {number} is joined to somebody who is not on the list: take them apart, then repeat this.")
        _say(says.format(number=member))


def keys(options: argparse.Namespace) -> None:
    """Without a key file the environment's keys are what somebody else changes; all that is left is to follow."""
    try:
        if settings.ENCRYPTION_KEYS:
            count = rotation.renew_all(wait=options.wait)
            says = _("All secrets are encrypted with the first of TERTULIA_ENCRYPTION_KEYS ({count} anew). {more}")
            more = _("Take the others out once every process has been started with it in front.")
        else:
            count = rotation.rotate(settings.ENCRYPTION_KEY_FILE, wait=options.wait)
            says = _("All secrets are encrypted with a new key ({count} anew). {more}")
            more = _("Copy {folder} again; older copies of the data need the old key.").format(
                folder=settings.ENCRYPTION_KEY_FILE.parent
            )
    except rotation.Busy:
        raise Sorry(_("The key is being changed already. Wait until that is done.")) from None
    except crypto.UnreadableSecret as unreadable:
        raise Sorry(_("{why} Until then all keys stay.").format(why=_(str(unreadable)))) from None
    _say(says.format(count=count, more=more))


def demo(_options: argparse.Namespace) -> None:
    manager = Membership.objects.filter(role=Role.MANAGER, user__is_active=True).order_by("id").first()
    if manager is None:
        raise Sorry(_("The sample company needs somebody to look at it. Set the desk up first: tertulia start"))
    if Brand.objects.filter(is_sample=True).exists():
        raise Sorry(_("The sample company is there already."))
    brand = first_run.add_sample(user=manager.user, at=clock.now()).brand
    says = _("The sample company {brand} is there, with {person} as its manager. Its shop page: {path}")
    _say(says.format(brand=brand, person=manager.user, path=f"/shop/{brand.slug}/"))


def understand_stored(_options: argparse.Namespace) -> None:
    """Read at once what no model, or an older one, has read. May be cut short and repeated."""
    rereading.begin_again()
    read = 0
    while (more := rereading.step(at=clock.now())) is not None:
        read += more
        says = _("{read} read, at most {left} to look at")
        sys.stderr.write(f"\r{says.format(read=read, left=rereading.left())}  ")
    sys.stderr.write("\n")
    _say(ngettext("{n} message was read.", "{n} messages were read.", read).format(n=read))


def _add_user(options: argparse.Namespace) -> None:
    brand, email = _brand(options.brand), options.email.strip().lower()
    validate_email(email)
    if options.role not in Role.values:
        raise Sorry(
            _("There is no role {role}. Choose one of: {roles}.").format(
                role=options.role, roles=", ".join(Role.values)
            )
        )
    person = User.objects.filter(email=email).first()
    with transaction.atomic():
        if person is None:
            password = _password(options, User(email=email, name=options.name))
            person = User.objects.create_user(email, password, name=options.name)
        _place, is_new = Membership.objects.get_or_create(
            user=person, brand=brand, defaults={"role": options.role, "created_at": clock.now()}
        )
    if not is_new:
        raise Sorry(_("{email} belongs to {brand} already.").format(email=email, brand=brand))
    _say(
        _("{person} belongs to {brand} now, as {role}.").format(
            person=person, brand=brand, role=Role(options.role).label.lower()
        )
    )


def _list_users(_options: argparse.Namespace) -> None:
    rows = []
    for person in User.objects.order_by("email").prefetch_related("memberships__brand"):
        places = ", ".join(f"{place.brand.slug}: {place.role}" for place in person.memberships.all())
        rows.append([person.email, person.name, places, "" if person.is_active else _("disabled")])
    _table([_("E-MAIL"), _("NAME"), _("BRANDS"), ""], rows)


def _set_password(options: argparse.Namespace) -> None:
    person = _user(options.email)
    person.set_password(_password(options, person))
    person.save(update_fields=["password"])
    _say(_("{person} has a new password. Whoever was signed in with the old one is signed out.").format(person=person))


def _disable(options: argparse.Namespace) -> None:
    person = _user(options.email)
    User.objects.filter(pk=person.pk).update(is_active=False)
    _say(_("{person} can no longer sign in. What they wrote stays.").format(person=person))


def _list_channels(_options: argparse.Namespace) -> None:
    accounts = Account.objects.select_related("brand").order_by("id")
    _table(
        [_("NUMBER"), _("BRAND"), _("KIND"), _("NAME"), _("STATE"), ""],
        [
            [str(each.pk), each.brand.slug, each.kind, each.name, each.get_state_display(), told(each.trouble)]
            for each in accounts
        ],
    )


def _add_channel(options: argparse.Namespace) -> None:
    brand = _brand(options.brand)
    try:
        connector = registry.get(options.kind)
    except registry.UnknownConnector:
        known = ", ".join(registry.all_connectors())
        raise Sorry(
            _("There is no connector {kind}. Installed are: {known}.").format(kind=options.kind, known=known)
        ) from None
    given = _values(options.values)
    fields = {field.name: field for field in connector.fields}
    if unknown := given.keys() - fields.keys():
        says = _("{kind} has no setting {unknown}. It has: {known}.")
        raise Sorry(says.format(kind=options.kind, unknown=", ".join(sorted(unknown)), known=", ".join(fields)))
    missing = [name for name, each in fields.items() if each.is_required and not (given.get(name) or each.is_generated)]
    if missing:
        says = _("{kind} needs {missing}: --set {first}=…")
        raise Sorry(says.format(kind=options.kind, missing=", ".join(missing), first=missing[0]))
    secret = {name for name, each in fields.items() if each.kind == "secret"}
    account = channels.connect(
        brand=brand,
        kind=options.kind,
        name=options.name or connector.name[brand.language],
        at=clock.now(),
        settings={name: value for name, value in given.items() if name not in secret},
        secrets={name: value for name, value in given.items() if name in secret},
    )
    _say(_("{name} is channel {number} of {brand}.").format(name=account.name, number=account.pk, brand=brand))


def _pause_channel(options: argparse.Namespace) -> None:
    account = Account.objects.filter(pk=options.id).first()
    if account is None:
        raise Sorry(_("There is no channel {number}. See: tertulia channel list").format(number=options.id))
    act = channels.resume if options.resume else channels.pause
    act(account=account, at=clock.now())
    says = _("{name} is read and written to again.") if options.resume else _("{name} is paused.")
    _say(says.format(name=account.name))


def _brand(slug: str) -> Brand:
    brands = list(Brand.objects.filter(slug=slug) if slug else Brand.objects.order_by("is_sample", "id"))
    if not brands:
        none_yet = _("There is no brand yet. Set the desk up: tertulia start")
        raise Sorry(_("There is no brand {slug}.").format(slug=slug) if slug else none_yet)
    own = [brand for brand in brands if not brand.is_sample] or brands
    if len(own) > 1:
        raise Sorry(
            _("Which brand? --brand and one of: {brands}.").format(brands=", ".join(brand.slug for brand in brands))
        )
    return own[0]


def _owner(email: str, brand: Brand) -> User:
    who = Q(user__email=email.lower()) if email else Q(role=Role.MANAGER)
    found = list(Membership.objects.filter(who, brand=brand, user__is_active=True).select_related("user"))
    if not found:
        says = _("{email} is no active member of {brand}.") if email else _("{brand} has no active manager.")
        raise Sorry(says.format(email=email, brand=brand))
    if len(found) > 1:
        says = _("Whose key is it? --by and one of: {people}.")
        raise Sorry(says.format(people=", ".join(each.user.email for each in found)))
    return found[0].user


def _user(email: str) -> User:
    person = User.objects.filter(email=email.strip().lower()).first()
    if person is None:
        raise Sorry(_("Nobody has the address {email}. See: tertulia user list").format(email=email))
    return person


def _password(options: argparse.Namespace, person: User) -> str:
    """From a file, the input or the keyboard; never from the command line, which others can read."""
    source = options.password_file
    if source:
        try:
            password = (sys.stdin.read() if source == "-" else Path(source).read_text()).rstrip("\n")
        except OSError as error:
            raise Sorry(_("{file} can't be read: {why}.").format(file=source, why=error.strerror)) from None
    else:
        password = getpass.getpass(_("Password: "))
        if password != getpass.getpass(_("Once more: ")):
            raise Sorry(_("The two passwords differ. Nothing was changed."))
    validate_password(password, person)
    return password


def _values(pairs: Iterable[str]) -> dict[str, Any]:
    values = dict(pair.partition("=")[::2] for pair in pairs)
    if broken := next((pair for pair in pairs if "=" not in pair), None):
        raise Sorry(_("{given} is not NAME=VALUE.").format(given=broken))
    return values


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        _say("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
