"""All settings, from the environment; with no variable set: SQLite, local files, mail to the console.

Each variable is described in docs/settings.md; a test keeps the two in step.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from .console import _
from .environment import env, env_bool, env_int, env_list, env_path, env_secret, key_from_file

# Several processes share the machine: to multiply small matrices none needs a thread for each processor, before NumPy
# is there to start them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

PACKAGE = Path(__file__).resolve().parent.parent
HOME = Path(env("TERTULIA_HOME", "~/.local/share/tertulia")).expanduser().resolve()
PORT = env_int("TERTULIA_PORT", 8000)
HOST = env("TERTULIA_HOST", "127.0.0.1")
PUBLIC_URL = env("TERTULIA_URL", f"http://localhost:{PORT}").rstrip("/")
IS_HTTPS = PUBLIC_URL.startswith("https://")

DEBUG = False
SECRET_KEY = env_secret("TERTULIA_SECRET_KEY") or key_from_file(HOME / "keys" / "secret.key", "token")
SECRET_KEY_FALLBACKS = env_list("TERTULIA_SECRET_KEY_FALLBACKS")
ENCRYPTION_KEYS = env_secret("TERTULIA_ENCRYPTION_KEYS").split()
ENCRYPTION_KEY_FILE = HOME / "keys" / "encryption.key"
"""Holds the keys where the environment doesn't; read by `core.crypto`, again when it has changed."""
if not ENCRYPTION_KEYS:
    key_from_file(ENCRYPTION_KEY_FILE, "fernet")
ALLOWED_HOSTS = [
    urlsplit(PUBLIC_URL).hostname or "localhost",
    "localhost",
    "127.0.0.1",
    "[::1]",
    *env_list("TERTULIA_ALLOWED_HOSTS"),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "tertulia.core",
    "tertulia.brand",
    "tertulia.team",
    "tertulia.channels",
    "tertulia.understanding",
    "tertulia.community",
    "tertulia.strategy",
    "tertulia.listening",
    "tertulia.inbox",
    "tertulia.publishing",
    "tertulia.insight",
    "tertulia.flows",
    "tertulia.api",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django_htmx",
    "csp",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tertulia.core.middleware.followed",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tertulia.team.middleware.session_lives_on",
    "tertulia.team.middleware.own_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tertulia.core.middleware.private_pages",
]

ROOT_URLCONF = "tertulia.project.urls"
WSGI_APPLICATION = "tertulia.project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tertulia.team.context.shell",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "tertulia.core.templatetags.kit"],
        },
    },
    # Only for rows that are drawn by the dozen: see docs/architecture.md, "Fast lists".
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": True,
        "OPTIONS": {"environment": "tertulia.core.rows.environment"},
    },
]

SQLITE_OPTIONS = {
    # IMMEDIATE: a transaction that will write takes the lock at once instead of failing half-way.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: with NORMAL a power cut loses every commit since the last checkpoint, and "once" would be false.
    # The work process checkpoints in a thread of its own; the automatic one is only the net below it.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16000;"
        # What is deleted is overwritten: an erased person shall not be read out of the file's free pages.
        "PRAGMA secure_delete=ON;"
        "PRAGMA cache_size=-64000; PRAGMA mmap_size=1073741824; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON"
    ),
}
DATABASES = {
    "default": dj_database_url.parse(
        env_secret("DATABASE_URL", f"sqlite:///{HOME / 'tertulia.sqlite3'}"), conn_max_age=None, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "tertulia.core.sqlite3"
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = False
else:
    # Django's own statements are never prepared; those of `core.bulk` are, when they are asked for the third time.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("prepare_threshold", 2)
BROKER_URL = env_secret("TERTULIA_BROKER_URL")
WORK_THREADS = env_int("TERTULIA_WORK_THREADS", 8)
WEB_WORKERS = env_int("TERTULIA_WEB_WORKERS", 2)
WEB_THREADS = env_int("TERTULIA_WEB_THREADS", 2)

AUTH_USER_MODEL = "team.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "tertulia.team.passwords.OwnWords"},
    {"NAME": "tertulia.team.breaches.Breached"},
]
BREACHED_PASSWORDS = env_path("TERTULIA_BREACHED_PASSWORDS")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "tertulia.team.accounts.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "tertulia.team.accounts.SocialAccountAdapter"
MFA_ADAPTER = "tertulia.team.accounts.SecondFactorAdapter"
ACCOUNT_FORMS = {
    "login": "tertulia.team.entrance_forms.LoginForm",
    "reauthenticate": "tertulia.team.entrance_forms.ReauthenticateForm",
    "change_password": "tertulia.team.entrance_forms.ChangePasswordForm",
    "set_password": "tertulia.team.entrance_forms.SetPasswordForm",
    "reset_password": "tertulia.team.entrance_forms.ResetPasswordForm",
    "reset_password_from_key": "tertulia.team.entrance_forms.ResetPasswordKeyForm",
}
MFA_FORMS = {
    "authenticate": "tertulia.team.entrance_forms.SecondFactorForm",
    "reauthenticate": "tertulia.team.entrance_forms.SecondFactorAgainForm",
    "activate_totp": "tertulia.team.entrance_forms.ActivateAppForm",
    "add_webauthn": "tertulia.team.entrance_forms.AddKeyForm",
    "edit_webauthn": "tertulia.team.entrance_forms.RenameKeyForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # nobody signs up: people come by invitation to their own address
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Tertulia · "
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_HTTPS else "http"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are given by a manager, never typed by a stranger
MFA_TOTP_ISSUER = "Tertulia"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
SOCIALACCOUNT_ONLY = False
PASSWORD_RESET_TIMEOUT = 60 * 60
# The limits on signing in are counted here. In the database, not in each process's memory: several web processes, and
# several machines, must count together, and a restart must not set an attacker's count back to nothing.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "team_limits",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}
OIDC_ACR = env_list("TERTULIA_OIDC_ACR")
OIDC_AMR = env_list("TERTULIA_OIDC_AMR")
"""Of each, one is enough; nobody comes in by the company's sign-in without."""
SOCIALACCOUNT_PROVIDERS = (
    {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "oidc",
                    "name": env("TERTULIA_OIDC_NAME", "OpenID Connect"),
                    "client_id": env("TERTULIA_OIDC_CLIENT_ID"),
                    "secret": env_secret("TERTULIA_OIDC_SECRET"),
                    "settings": {
                        "server_url": env("TERTULIA_OIDC_URL"),
                        "auth_params": {"acr_values": " ".join(OIDC_ACR)} if OIDC_ACR else {},
                    },
                }
            ]
        }
    }
    if env("TERTULIA_OIDC_URL")
    else {}
)

SESSION_ENGINE = "tertulia.team.sessions"
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_IDLE = timedelta(hours=env_int("TERTULIA_IDLE_HOURS", 72))
"""None at 0: two weeks after signing in, whatever happens. The default outlasts a weekend."""
SECOND_STEP = env("TERTULIA_SECOND_STEP")
if SECOND_STEP not in {"", "managers", "everybody"}:
    raise ImproperlyConfigured(
        _("TERTULIA_SECOND_STEP is {value}: write managers, everybody, or nothing.").format(value=repr(SECOND_STEP))
    )
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS and env_bool("TERTULIA_HSTS_SUBDOMAINS", True)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
IS_BEHIND_PROXY = env_bool("TERTULIA_BEHIND_PROXY")
if IS_BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

LANGUAGES = [("es", "Español"), ("en", "English")]
LANGUAGE_CODE = "es"
LOCALE_PATHS = [PACKAGE / "locale"]
FORMAT_MODULE_PATH = "tertulia.core.formats"
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_COOKIE_NAME = "language"

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "tertulia.core.static_files.Storage"},
}
MEDIA_ROOT = HOME / "media"
FILE_UPLOAD_TEMP_DIR = HOME / "tmp"
"""Bodies wait here while they arrive, whoever sends them. Not in /tmp, which is memory in containers and elsewhere."""
LARGEST_FILM = env_int("TERTULIA_FILM_MB", 100) * 1024 * 1024
BACKUPS = env_bool("TERTULIA_BACKUPS", True)
BACKUP_PASSPHRASE = env_secret("TERTULIA_BACKUP_PASSPHRASE")
WHITENOISE_MAX_AGE = 31_536_000

DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

EMAIL_HOST = env("TERTULIA_SMTP_HOST")
EMAIL_PORT = env_int("TERTULIA_SMTP_PORT", 587)
EMAIL_HOST_USER = env("TERTULIA_SMTP_USER")
EMAIL_HOST_PASSWORD = env_secret("TERTULIA_SMTP_PASSWORD")
EMAIL_USE_TLS = env_bool("TERTULIA_SMTP_TLS", True)
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("TERTULIA_MAIL_FROM", "tertulia@localhost")
EMAIL_SUBJECT_PREFIX = "Tertulia · "

ALLOWED_ADDRESSES = env_list("TERTULIA_ALLOWED_ADDRESSES")
"""Private networks the one door out may reach all the same, as CIDR: an intranet's webhook, the tests' servers."""

CLAMD = env("TERTULIA_CLAMD")
"""Where files of strangers are looked at for malware: the path of a socket, or host:port."""

METRICS_TOKEN = env_secret("TERTULIA_METRICS_TOKEN")

LOG_FORMAT = env("TERTULIA_LOG_FORMAT", "line")
if LOG_FORMAT not in {"line", "json"}:
    raise ImproperlyConfigured(_("TERTULIA_LOG_FORMAT is {value}: write line or json.").format(value=repr(LOG_FORMAT)))
LOG_FILE = env("TERTULIA_LOG_FILE")
if LOG_FILE and not Path(LOG_FILE).parent.is_dir():
    raise ImproperlyConfigured(
        _("TERTULIA_LOG_FILE is {file}, but there is no folder {folder}. Make it.").format(
            file=LOG_FILE, folder=Path(LOG_FILE).parent
        )
    )
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "tertulia.core.logs.Line"}, "json": {"()": "tertulia.core.logs.Json"}},
    "handlers": {
        "log": {
            "class": "tertulia.core.logs.RotatedFile",
            "formatter": LOG_FORMAT,
            "filename": LOG_FILE,
            "encoding": "utf-8",
            "errors": "backslashreplace",
        }
        if LOG_FILE
        else {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}
    },
    "root": {"handlers": ["log"], "level": env("TERTULIA_LOG_LEVEL", "WARNING").upper()},
    "loggers": {
        "tertulia": {"level": env("TERTULIA_LOG_LEVEL", "INFO").upper()},
        # A line for each request is for programs; people at a terminal would lose sight of the rest.
        "tertulia.requests": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
    },
}
SILENCED_SYSTEM_CHECKS = [
    "files.E001",  # set-up and web make that folder; what is asked before needs none
    "security.W004",
    "security.W008",
    "security.W012",
    "security.W016",
    "security.W021",
]
