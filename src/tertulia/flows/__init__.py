"""The journeys that cross rooms, their jobs, and the doors strangers knock at. Read these first."""
