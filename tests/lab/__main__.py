"""`python -m lab`, in tests/: installs all the lab's servers, so that the tests find them there."""

import os
import sys
import time
from importlib import import_module

from lab.ground import Unavailable

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings_for_tests")
    for name in ("mail", "snac", "mastodon_mock", "wordpress", "synapse", "bluesky"):
        began = time.monotonic()
        try:
            import_module(f"lab.{name}").prepare()
            ended = "is there"
        except Unavailable as why:
            ended = f"can't be installed: {why}"
        sys.stdout.write(f"{name:<16}{time.monotonic() - began:6.1f} s  {ended}\n")
        sys.stdout.flush()
