"""Saying something to everybody: posts, their versions, their pictures, and when they leave."""
