"""Sessions in the database as Django keeps them; reading one is on every page, so its question is kept."""

from __future__ import annotations

from functools import cache

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from tertulia.core import clock
from tertulia.core.kept import Kept, columns, moment, record, word


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
