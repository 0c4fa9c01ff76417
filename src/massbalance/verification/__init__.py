"""The independent verifier: redoes a run's arithmetic from its files, in integers, without a solver.

`verify.verify_run(folder)` is the entry. Reading order: verify (what is checked, in order), integers
(arrays that are exact at any size), files (how files are read), facts, terms and effects (what the
case says, derived anew: lots and products; orders and offers; lots on products), rows (allocation),
orders (orders and their limits), balance (account, residual, summary), opening (balances from a
ledger), proof and bound (why nothing better exists).
"""

from massbalance.verification.verify import GoalProof, Report, verify_run

__all__ = ["GoalProof", "Report", "verify_run"]
