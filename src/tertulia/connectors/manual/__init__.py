"""Any platform without an API: messages are written down by hand, and answers are tasks for a person."""
