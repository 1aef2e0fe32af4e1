"""What every room stands on: the clock, the door out, background jobs, the activity feed, secrets, the page shell."""
