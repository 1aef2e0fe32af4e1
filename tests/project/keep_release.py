"""Keeps a desk as this version writes it, so that every later version can try the upgrade from there.

    cd tests && python -m project.keep_release

Part of a release (docs/releasing.md). Makes an installation with the sample company in both languages and one of
everything that `world.World` knows, and has the real command write a backup of it, with its keys, to
`releases/<version>.zip`. What is in it is invented; the keys open nothing else.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from .conftest import Installation

HERE = Path(__file__).parent
RELEASES = HERE / "releases"
FILL = """
from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.flows import first_run
from tertulia.team.models import Membership, User
from world import World
at = clock.now()
alba = User.objects.create_user("alba@uno.example", "pan con tomate", name="Alba", language="es")
brand = Brand.objects.create(name="Uno", slug="uno", created_at=at)
Membership.objects.create(user=alba, brand=brand, role="manager", is_fallback=True, created_at=at)
World(brand, alba, name="uno")
for language in ("es", "en"):
    alba.language = language
    first_run.add_sample(user=alba, at=at)
"""


def main() -> None:
    target = RELEASES / f"{metadata.version('tertulia')}.zip"
    target.unlink(missing_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TERTULIA_", "DATABASE_"))}
    with tempfile.TemporaryDirectory(prefix="tertulia-release-") as folder:
        environment = kept | {
            "TERTULIA_HOME": folder, "DJANGO_SETTINGS_MODULE": "tertulia.project.settings", "LANG": "C.UTF-8",
            "TERTULIA_ALLOWED_ADDRESSES": "127.0.0.0/8",  # where the webhook of `World` leads
            "PYTHONPATH": os.pathsep.join([str(HERE.parent), *filter(None, [kept.get("PYTHONPATH")])]),
        }  # fmt: skip
        desk = Installation(Path(folder), 0, environment)
        for command in (("setup",), ("backup", str(target), "--with-keys")):
            if (done := desk.tertulia(*command)).returncode:
                raise SystemExit(done.stderr)
            if command == ("setup",):
                desk.ask(FILL)
                desk.close()
    sys.stdout.write(done.stdout)


if __name__ == "__main__":
    main()
