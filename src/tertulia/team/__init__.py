"""The people who answer: who they are, what they may do in each brand, what they know and when they are there."""
