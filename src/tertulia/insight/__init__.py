"""What the house can say of itself: that nothing stays unanswered and nothing is lost."""
