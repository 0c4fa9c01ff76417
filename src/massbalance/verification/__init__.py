"""The independent verifier: redoes a run's arithmetic from its files, in integers, without a solver.

`verify.verify_run(folder)` is the entry. Reading order: verify (what is checked, in order), files
(how files are read), facts (what the case says, derived anew), rows (allocation and orders),
balance (account, residual, summary), bound (why nothing better exists).
"""

from massbalance.verification.verify import GoalProof, Report, verify_run

__all__ = ["GoalProof", "Report", "verify_run"]
