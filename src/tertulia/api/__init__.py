"""The public REST API, its tokens, and outgoing webhooks."""
