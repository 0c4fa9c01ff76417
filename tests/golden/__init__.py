"""Cases with a known answer: one per equation and goal, worked figures, and the example cases."""
