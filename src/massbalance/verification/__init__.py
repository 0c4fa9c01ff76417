"""The independent verifier: redoes a run's arithmetic from its files, in integers, without a solver.

`verify.verify_run(folder)` is the entry. Reading order: verify (what is checked, in order), integers
(arrays that are exact at any size), files (how files are read), facts, terms and effects (what the
case says, derived anew: lots and products; orders and offers; lots on products), rows (allocation),
orders (orders and their limits), strategy and service (what `[objective]` asks, and of whom), balance
(account, residual, summary), opening (balances from a ledger), proof, matrix, shares, bound and goals (why
nothing better exists), reach (why some claims cannot be reached).
"""

from massbalance.verification.verify import GoalProof, Report, verify_run

__all__ = ["GoalProof", "Report", "verify_run"]
