"""Reads settings from the environment; every secret may also come from a file, by NAME_FILE."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from .console import _  # Django's own speaks only once there are settings


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool = False) -> bool:
    """Raises ImproperlyConfigured for anything but yes and no."""
    value = env(name).lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return value in {"1", "true", "yes", "on"} if value else default
    raise ImproperlyConfigured(_("{name} is {value}: write yes or no.").format(name=name, value=repr(value)))


def env_int(name: str, default: int) -> int:
    """Raises ImproperlyConfigured for anything but a whole number."""
    try:
        return int(env(name, str(default)))
    except ValueError:
        says = _("{name} is {value}: write a whole number.")
        raise ImproperlyConfigured(says.format(name=name, value=repr(env(name)))) from None


def env_list(name: str) -> list[str]:
    return [item.strip() for item in env(name).split(",") if item.strip()]


def env_path(name: str) -> Path | None:
    """Whether something is there is for `tertulia check` to say."""
    return Path(env(name)).expanduser() if env(name) else None


def env_secret(name: str, default: str = "") -> str:
    """NAME, or the content of the file NAME_FILE. Raises ImproperlyConfigured when that can't be read."""
    if path := env(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            says = _("{name} names {file}, which can't be read: {why}.")
            raise ImproperlyConfigured(says.format(name=f"{name}_FILE", file=path, why=error.strerror)) from None
    return env(name, default)


def key_from_file(path: Path, make: str) -> str:
    """The installation's own key, made at the first start and readable by its owner alone.

    `make` is "fernet" or "token". Two processes starting at once agree on one: whoever links first wins.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(Fernet.generate_key().decode() if make == "fernet" else secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()
