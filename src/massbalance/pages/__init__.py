"""What people look at: plots, and a report of a run in HTML."""
