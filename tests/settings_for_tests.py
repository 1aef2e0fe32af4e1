"""The product's own settings in a data folder of their own, and passwords that are quick to check.

A settings module of its own because the environment has to be set before the product's settings are read.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_home = tempfile.mkdtemp(prefix="tertulia-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["TERTULIA_HOME"] = _home
os.environ["TERTULIA_ALLOWED_ADDRESSES"] = "127.0.0.0/8"  # the servers that tests start
os.environ["TERTULIA_BACKUPS"] = "no"  # those that worker processes would make by themselves
os.environ.pop("TERTULIA_BROKER_URL", None)
(Path(_home) / "static").mkdir()
(Path(_home) / "tmp").mkdir()

from tertulia.project.settings import *  # noqa: E402, F403
from tertulia.project.settings import DATABASES, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_home) / "tests.sqlite3")}

# With a broker, what is due is handed over before it is done, in every test.
BROKER_URL = os.environ.get("TERTULIA_TEST_BROKER_URL", "")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
