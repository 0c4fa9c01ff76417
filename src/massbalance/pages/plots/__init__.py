"""One module a plot: plain data in, a figure out. `canvas` has what they share."""
