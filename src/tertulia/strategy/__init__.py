"""What a brand is after, and how it goes about it: its campaigns."""
