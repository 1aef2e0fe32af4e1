"""Django's own backend for SQLite, except that the threads of a process take turns at writing. See `base.py`."""
