"""A call, or a talk in the shop, written down by whoever had it."""
