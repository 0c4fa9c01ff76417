"""Quotes: what an order could be promised, from what premium, and who would lose by it."""
