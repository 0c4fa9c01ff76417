"""Who proposes and who approves, and four eyes where the rule model asks for them."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from massbalance.ledger.problems import Refused, fault

FOUR_EYES = "four_eyes"


@dataclass(frozen=True)
class Approval:
    """Names, and what they want to say about it."""

    proposer: str = ""
    approver: str = ""
    note: str = ""

    def proposed_by(self, name: str | None) -> Approval:
        """With a proposer where none was named."""
        return self if self.proposer.strip() or not name else replace(self, proposer=name)

    def checked(self, parameters: Mapping[str, Any] | None, clause: str = "A6.2") -> dict[str, str]:
        """The names for a journal's header; who is not named is the user of this computer.

        parameters: of the rule model in force. Refused where it asks for four eyes and the approver is
        not named, or is the proposer.
        """
        user = _user()
        proposer = self.proposer.strip() or user
        approver = self.approver.strip()
        if (parameters or {}).get("approval") == FOUR_EYES:
            if not approver:
                raise Refused(
                    fault("a named approver: the rule model asks for four eyes", clause, table="approval")
                )
            if approver.casefold() == proposer.casefold():
                words = "an approver other than the proposer: the rule model asks for four eyes"
                raise Refused(fault(words, clause, table="approval", column="approver", value=approver))
        return {"proposer": proposer, "approver": approver or user, "note": self.note}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user, as in some containers
        return "unknown"


def clause_of(rules: str) -> str:
    """The clause of a rule model (its id) that asks for management by more than one."""
    return "J5.4" if rules.startswith("jisf") else "A6.2"
