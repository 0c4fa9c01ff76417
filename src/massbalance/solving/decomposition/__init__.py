"""Decomposition on credit prices: recipes answer prices, a small master balances lots and periods.

Dantzig and Wolfe (1960), by recipe. What a tonne of a recipe may take (C4 to C9) does not depend on any
other recipe, so each answers prices of credits with its cheapest mix; the master (C1 to C3, C10 to C14)
only decides how many tonnes get which mix. It stays a few thousand rows however many orders there are.
"""

from massbalance.solving.decomposition.solve import solve

__all__ = ["solve"]
