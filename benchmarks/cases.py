"""What is measured: the cases, and which tools on each."""

from __future__ import annotations

from dataclasses import dataclass, field

MASSBALANCE = "massbalance"
PEERS = {
    "linopy": "linopy_plain",
    "linopy, every pair": "linopy_every",
    "PuLP": "pulp_plain",
    "Pyomo": "pyomo_plain",
    "HiGHS, plain matrix": "highs_plain",
    "HiGHS, reduced matrix": "highs_reduced",
}
"""Name in the tables, and the module in benchmarks/peers."""
REDUCED = "HiGHS, reduced matrix"
EVERY = (MASSBALANCE, *PEERS)
SOME = (MASSBALANCE, "linopy", REDUCED)
OURS = (MASSBALANCE, REDUCED)
LANGUAGES = (MASSBALANCE, "linopy", "PuLP", "Pyomo", REDUCED)


@dataclass(frozen=True)
class Case:
    """A generated case: its size, options of generate.py, tools, and whether orders grow from the one before.

    small: part of a quick run; line: drawn in the plot.
    """

    orders: int
    lots: int
    pools: int
    options: tuple[str, ...] = ()
    words: str = ""
    tools: tuple[str, ...] = EVERY
    small: bool = False
    line: bool = False
    periods: int = field(default=12)

    @property
    def name(self) -> str:
        """`20 k x 200, 20 pools`, and what makes it hard."""
        return f"{short(self.orders)} x {short(self.lots)}, {self.words or f'{self.pools} pools'}"

    @property
    def arguments(self) -> list[str]:
        """For generate.py."""
        counts = {"orders": self.orders, "lots": self.lots, "periods": self.periods, "pools": self.pools}
        sizes = [word for key, value in counts.items() for word in (f"--{key}", str(value))]
        return [*sizes, "--seed", "1", "--format", "parquet", *self.options]


def short(count: int) -> str:
    """`50`, `1,000`, `20 k`, `1 M`."""
    for size, letter in ((10**6, "M"), (10**3, "k")):
        if count >= 2 * size or (count == size and letter == "M"):
            return f"{count / size:g} {letter}"
    return f"{count:,}"


OWN = ("--premiums", "own", "--intensities", "own")
CASES = (
    Case(2_000, 50, 20, small=True, line=True),
    Case(20_000, 200, 20, tools=LANGUAGES, line=True),
    Case(100_000, 1_000, 30, tools=OURS, line=True),
    Case(1_000_000, 5_000, 40, tools=OURS, line=True),
    Case(20_000, 200, 200, tools=SOME),
    Case(2_000, 50, 20, OWN, "no two orders or lots alike", SOME, small=True),
    Case(20_000, 200, 20, OWN, "no two orders or lots alike", (MASSBALANCE,)),
    Case(20_000, 200, 20, ("--whole-share", "0.1"), "a tenth of the orders whole", (MASSBALANCE,)),
    Case(2_000, 50, 20, ("--whole-share", "0.1"), "a tenth of the orders whole", SOME, small=True),
    Case(2_000, 50, 20, ("--all-features",), "all features", SOME),
)
