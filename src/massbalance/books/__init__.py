"""The books: the account of every lot, the residual of every product, and both as CSV, in integers."""
