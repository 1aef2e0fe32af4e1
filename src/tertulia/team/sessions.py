"""Sessions in the database as Django keeps them; reading one is on every page, so its question is kept.

A session ends two weeks after signing in, and before that when no page was opened for `settings.SESSION_IDLE`: its row
says until when, so that streams and everything else that reads it knows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session

from tertulia.core import clock
from tertulia.core.kept import Kept, columns, moment, record, word

_BEGAN = "signed_in_at"
STEP = timedelta(minutes=10)
"""How much longer it lives is written so often at most: each time is a row."""


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        found = _session().ask(key=self.session_key, now=clock.now())
        if not found:
            self._session_key = None
            return None
        return record(Session, found[0])


@cache
def _session() -> Kept:
    return Kept(Session.objects.filter(session_key=word("key"), expire_date__gt=moment("now")), *columns(Session))


def begin(session: SessionBase, at: datetime) -> None:
    """Somebody signs in."""
    session[_BEGAN] = at.isoformat()
    live_on(session, at)


def live_on(session: SessionBase, at: datetime) -> None:
    """Somebody opens a page with it."""
    began = session.setdefault(_BEGAN, at.isoformat())
    end = datetime.fromisoformat(began) + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    if settings.SESSION_IDLE:
        end = min(end, at + settings.SESSION_IDLE)
    if not timedelta() <= end - session.get_expiry_date() < STEP:
        session.set_expiry(end)
