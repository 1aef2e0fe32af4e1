"""The one door out (stub replaced by the engine)."""
http = None
