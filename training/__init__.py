"""What makes and judges the model that reads messages; see README.md beside this."""
