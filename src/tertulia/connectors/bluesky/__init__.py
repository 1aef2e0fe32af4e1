"""Bluesky and any other network of the AT Protocol: posts that concern us, and direct messages."""
