"""A list of people who asked for news by mail."""
