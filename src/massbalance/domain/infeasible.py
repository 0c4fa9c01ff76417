"""What cannot be had at all: hard limits that stand against each other (exit 4)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

NOTHING_T = 1e-6
"""A minimum that lacks less than this (a gram) is met: the solver is hardly finer."""


@dataclass(frozen=True)
class Clash:
    """One of the minimum services that clash: what it asks for, and how much of it is missing where all of
    them together lack least, t.
    """

    by: str
    group: str
    share: float
    least_t: float
    missing_t: float

    @property
    def words(self) -> str:
        """In a planner's words."""
        most = self.share * max(0.0, 1.0 - self.missing_t / self.least_t) if self.least_t > 0 else 0.0
        asked = f"{self.by} {self.group}: at least {self.share:.1%} of its orders, {self.least_t:,.3f} t"
        if self.missing_t <= NOTHING_T:
            return f"{asked}: in reach only at the expense of the others named"
        return f"{asked}: {self.missing_t:,.3f} t too much; {most:.1%} is in reach"

    def as_dict(self) -> dict[str, object]:
        """For `--json`; masses to a gram."""
        return {
            **asdict(self),
            "least_t": round(self.least_t, 6),
            "missing_t": round(self.missing_t, 6),
            "words": self.words,
        }


class Undecided(Exception):
    """The time was over before it was known whether the minimum services can be met (exit 5)."""

    def __init__(self) -> None:
        super().__init__("the time limit came before it was known whether the minimum services can be met")


class Infeasible(Exception):
    """No allocation gives every group its minimum service. clash: those that stand against each other;
    words: the same for people.
    """

    def __init__(self, clash: tuple[Clash, ...]) -> None:
        self.clash = clash
        self.words = [one.words for one in clash]
        super().__init__("minimum services that cannot be met together: " + "; ".join(self.words))

    def document(self) -> dict[str, object]:
        """For `--json`."""
        return {"status": "infeasible", "clash": [one.as_dict() for one in self.clash]}
