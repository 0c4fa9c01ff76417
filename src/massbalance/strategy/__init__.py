"""Strategies side by side: rules of thumb beside the optimum, fronts of two goals, the price of fairness."""
