"""A real WordPress on 127.0.0.1: Debian's packages, unpacked (not installed) below the lab's folder.

`running()` gives a `Blog` with an editor who has an application password; everything it started ends with it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .ground import LAB, Unavailable, alone, free_port, install, listens, run, wait_for

NAME = "wordpress"
HOME = LAB / NAME
SITE = HOME / "site"
PACKAGES = [
    *(f"php8.2-{part}" for part in ("cli", "common", "mysql", "mbstring", "xml", "opcache")),
    "wordpress", "wordpress-l10n", "wordpress-theme-twentytwentythree", "mariadb-server-core", "mariadb-client-core",
    "php-getid3", "libjs-underscore", "libjs-cropper", "libonig5", "libargon2-1", "libsodium23", "libxml2", "libedit2",
    "libmagic1", "libicu72", "libbsd0", "libmd0", "libaio1", "liburing2", "libsnappy1v5", "libnuma1",
]  # fmt: skip
"""In whatever version Debian 12 has now: the pinned one is no longer offered after the next correction."""
EXTENSIONS = ["mysqlnd", "mysqli", "mbstring", "tokenizer", "ctype", "dom", "xml", "fileinfo", "iconv"]
EDITOR = "editora"

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', '127.0.0.1:' . getenv('LAB_DB_PORT')); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
$table_prefix = 'wp_';
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $part) {
    define($part . '_KEY', 'lab'); define($part . '_SALT', 'lab');
}
define('WP_HOME', getenv('LAB_URL')); define('WP_SITEURL', getenv('LAB_URL'));
define('WP_ENVIRONMENT_TYPE', 'local');  // application passwords over plain http
define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true); define('DISABLE_WP_CRON', true);
if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }
require_once ABSPATH . 'wp-settings.php';
"""
# Visitors from many addresses, and no mail.
PLUGIN = """<?php
if (!empty($_SERVER['HTTP_X_LAB_VISITOR'])) { $_SERVER['REMOTE_ADDR'] = $_SERVER['HTTP_X_LAB_VISITOR']; }
add_filter('pre_wp_mail', '__return_true');
"""
# What a web server would do: files as they are, everything else through index.php.
ROUTER = """<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path !== '/' && is_file(__DIR__ . $path)) { return false; }
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
require __DIR__ . '/index.php';
"""
INSTALL = """<?php
error_reporting(E_ALL & ~E_DEPRECATED);
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli('127.0.0.1', 'root', '', '', (int) getenv('LAB_DB_PORT'));
$db->query('CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4'); $db->close();
$_SERVER['HTTP_HOST'] = parse_url(getenv('LAB_URL'), PHP_URL_HOST) . ':' . parse_url(getenv('LAB_URL'), PHP_URL_PORT);
$_SERVER['REQUEST_URI'] = '/'; $_SERVER['REQUEST_METHOD'] = 'GET'; $_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
define('WP_INSTALLING', true);
require __DIR__ . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
if (!is_blog_installed()) {
    wp_install('Horno Candela', 'admin', 'admin@lab.example', true, '', 'admin-password', 'es_ES');
    update_option('permalink_structure', '/%year%/%monthnum%/%postname%/');
    update_option('timezone_string', 'Europe/Madrid');
    update_option('rewrite_rules', '');
}
$made = [];
foreach (['editora' => 'editor', 'autor' => 'author'] as $login => $role) {
    $user = get_user_by('login', $login);
    $id = $user ? $user->ID : wp_insert_user(['user_login' => $login, 'user_pass' => "$login-password",
        'user_email' => "$login@lab.example", 'role' => $role, 'display_name' => 'Alba ' . ucfirst($role)]);
    $name = 'lab ' . bin2hex(random_bytes(4));
    $made[$login] = WP_Application_Passwords::create_new_application_password($id, ['name' => $name])[0];
}
echo json_encode($made);
"""


FILES = {"wp-config": CONFIG, "wp-content/mu-plugins/lab": PLUGIN, "router": ROUTER, "install": INSTALL}


@dataclass
class Blog:
    """The blog, and what people do on it: visitors with the comment form, the company on the blog's own pages."""

    url: str
    passwords: dict[str, str]
    _visits: int = 0

    def api(self, method: str, path: str, body: object = None, *, user: str = EDITOR, **query: object) -> object:
        """What somebody of the company does there (the dashboard uses the same functions)."""
        coded = urllib.parse.urlencode({"rest_route": f"/wp/v2/{path}", **query})
        request = urllib.request.Request(f"{self.url}/?{coded}", json.dumps(body).encode() if body else None)
        request.method = method
        request.add_header("content-type", "application/json")
        opener = urllib.request.HTTPPasswordMgrWithPriorAuth()
        opener.add_password(None, self.url, user, self.passwords[user], is_authenticated=True)
        with urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(opener)).open(request, timeout=30) as got:
            return json.loads(got.read())

    def post(self, title: str) -> int:
        made = self.api("POST", "posts", {"title": title, "content": "<p>Hola</p>", "status": "publish"})
        return made["id"]  # type: ignore[index]

    def comment(self, post: int, text: str, *, name: str, email: str, parent: int = 0) -> None:
        """A visitor fills in the form; each visit from an address of its own, for the blog minds haste."""
        self._visits += 1
        form = {"comment_post_ID": post, "comment_parent": parent, "author": name, "email": email, "comment": text}
        request = urllib.request.Request(f"{self.url}/wp-comments-post.php", urllib.parse.urlencode(form).encode())
        request.add_header("X-Lab-Visitor", f"198.51.100.{self._visits % 250 + 1}")
        try:
            urllib.request.build_opener(_Stay).open(request, timeout=30).close()
        except urllib.error.HTTPError as answer:
            if answer.code != 302:
                raise


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@contextmanager
def running() -> Iterator[Blog]:
    """The blog, started anew; what was written in it earlier is still there. Raises `Unavailable`."""
    prepare()
    with alone(NAME):
        yield from _running()


def prepare() -> None:
    with alone(NAME):
        install(NAME, "\n".join([*PACKAGES, *FILES.values(), "and what reads films"]), _unpack)


def _running() -> Iterator[Blog]:
    started: list[subprocess.Popen[bytes]] = []
    url, db_port = f"http://127.0.0.1:{free_port()}", free_port()
    environment = {**_environment(), "LAB_URL": url, "LAB_DB_PORT": str(db_port)}
    try:
        started.append(_start_database(db_port, environment))
        told = run([*_php(), "install.php"], cwd=SITE, env=environment)
        if not told.startswith("{"):
            raise Unavailable(f"WordPress can't be installed: {told[-300:]}")
        serve = [*_php(), "-S", url.removeprefix("http://"), "-t", ".", "router.php"]
        started.append(_start(serve, {**environment, "PHP_CLI_SERVER_WORKERS": "3"}, SITE, "php.log"))
        wait_for(lambda: listens(int(url.rpartition(":")[2])), 20, "PHP")
        yield Blog(url, json.loads(told.splitlines()[0]))
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGTERM)  # PHP's workers would outlive it
            process.wait(30)


def _unpack() -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Unavailable("apt-get and dpkg-deb are needed (Debian 12)")
    for folder in ("debs", "root", "site", "data"):
        shutil.rmtree(HOME / folder, ignore_errors=True)
    for folder in ("debs", "root"):
        (HOME / folder).mkdir(parents=True)
    download = ["apt-get", "download", "-qq", *PACKAGES]
    try:
        run(download, cwd=HOME / "debs")
    except Unavailable:  # an old list names versions that are gone
        run(["apt-get", "-qq", "update"])
        run(download, cwd=HOME / "debs")
    for deb in (HOME / "debs").glob("*.deb"):
        run(["dpkg-deb", "-x", str(deb), str(HOME / "root")])
    # Links to configuration that only an installed package has are left out.
    shutil.copytree(HOME / "root/usr/share/wordpress", SITE, ignore_dangling_symlinks=True)
    # What reads films is another package, whose links pass for dangling, too.
    shutil.copytree(HOME / "root/usr/share/php/getid3", SITE / "wp-includes/ID3", dirs_exist_ok=True)
    (SITE / "wp-content/mu-plugins").mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (SITE / f"{name}.php").write_text(text)


def _start_database(port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    data, base = HOME / "data", HOME / "root/usr"
    if not (data / "mysql").is_dir():
        run(
            [str(base / "bin/mariadb-install-db"), "--no-defaults", f"--basedir={base}", f"--datadir={data}",
             "--auth-root-authentication-method=normal", "--skip-test-db", f"--user={_user()}"],
            env=environment,
        )  # fmt: skip
    command = [
        f"{base}/sbin/mariadbd", "--no-defaults", f"--datadir={data}", f"--user={_user()}", "--bind-address=127.0.0.1",
        f"--port={port}", f"--socket={data}/socket", "--innodb-buffer-pool-size=48M", "--performance-schema=OFF",
        "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", f"--lc-messages-dir={base}/share/mysql",
    ]  # fmt: skip
    process = _start(command, environment, HOME, "mariadb.log")
    wait_for(lambda: listens(port), 20, "MariaDB")
    return process


def _start(command: list[str], environment: dict[str, str], folder: Path, log: str) -> subprocess.Popen[bytes]:
    with (HOME / log).open("wb") as to:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=to, stderr=to, start_new_session=True)


def _php() -> list[str]:
    found = next((HOME / "root/usr/lib/php").glob("2*"))
    extensions = [word for name in EXTENSIONS for word in ("-d", f"extension={name}")]
    return [str(HOME / "root/usr/bin/php8.2"), "-n", "-d", f"extension_dir={found}", *extensions,
            "-d", "memory_limit=256M", "-d", "display_errors=0", "-d", f"zend_extension={found}/opcache.so",
            "-d", "opcache.enable_cli=1"]  # fmt: skip


def _environment() -> dict[str, str]:
    libraries = HOME / "root/usr/lib/x86_64-linux-gnu"
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(HOME), "LD_LIBRARY_PATH": str(libraries)}


def _user() -> str:
    return os.environ.get("USER") or ("root" if os.getuid() == 0 else str(os.getuid()))
