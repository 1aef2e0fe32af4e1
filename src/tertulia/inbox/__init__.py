"""Answering people: conversations, who has them, what was promised, notes, labels, saved replies."""
