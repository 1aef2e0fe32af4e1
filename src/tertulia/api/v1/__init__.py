"""The operations of /api/v1, by what they are about. Each one calls one action or query, the same as the pages."""
