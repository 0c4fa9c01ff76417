"""Runs of strategies, worked out on paper: they are accepted, and rejected at the right place when spoilt."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from corrupt import read, write
from handmade import Handmade, Use, sign, write_run
from massbalance.domain.faults import Fault
from massbalance.intake.read import read_case
from massbalance.verification import verify_run
from massbalance.verification.bound import prove
from massbalance.verification.effects import Effects
from massbalance.verification.facts import Facts
from massbalance.verification.files import Faults
from massbalance.verification.orders import check_orders
from massbalance.verification.proof import DUAL, read_duals, read_groups
from massbalance.verification.rows import check_allocation
from massbalance.verification.shares import Served, Shares
from massbalance.verification.strategy import Strategy
from strategy_runs import CONCENTRATE, LEXIMIN, SPREAD, STRATEGY_RUNS, TONNAGE, green, group, said


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of every handmade run."""
    folder = tmp_path_factory.mktemp("sound")
    return {name: write_run(folder / name, run) for name, run in STRATEGY_RUNS.items()}


@pytest.mark.parametrize("name", STRATEGY_RUNS)
def test_a_run_of_every_strategy_is_proven(name: str, sound: dict[str, Path]) -> None:
    report = verify_run(sound[name])
    assert report.ok, report.first
    told = [(goal.name, goal.priority, goal.booked) for goal in report.goals]
    assert told == [(n, p, Fraction(value)) for n, p, value, *_ in STRATEGY_RUNS[name].goals]
    assert all(goal.proven for goal in report.goals)
    assert all(goal.gap <= Fraction(1, 10**4) for goal in report.goals)


def test_expiry_is_bounded_from_below(sound: dict[str, Path]) -> None:
    """460 t CO2e expire; nothing can be below what the bound says."""
    goal = next(g for g in verify_run(sound["least-expiry"]).goals if g.key == "expiry")
    assert goal.bound <= goal.booked == 460


def faults_of(run: Handmade, folder: Path) -> list[Fault]:
    """What the verifier says of a run as decided otherwise."""
    return list(verify_run(write_run(folder / "run", run)).faults)


def place(fault: Fault) -> tuple[str, str, str]:
    return fault.table, fault.column, fault.code


# ---- decided otherwise, and written as such ------------------------------------------------------------


def test_an_unfair_division_is_not_proven(tmp_path: Path) -> None:
    """c1 gives 10 t to c2: all that is said of it is true, but c1 could have more."""
    groups = [group("c1", 100, 50, stage=2), group("c2", 100, 70, stage=2), group("c3", 40, 20, stage=1)]
    run = replace(
        LEXIMIN,
        uses=green(("G", "A", "25"), ("G", "B", "35"), ("S", "C", "10")),
        claimed={"A": "50", "B": "70", "C": "20"},
        goals=[("fair_share", 1, "0.5"), ("fair_share", 2, "0.5"), ("margin", None, "2700")],
        summary=said("leximin", "fair_share", by="customer", groups=groups),
    )
    found = faults_of(run, tmp_path)
    assert [place(f) for f in found][:1] == [("proof/duals.csv", "fair_share:2", "C15 goal_hold")]


def test_a_group_settled_too_soon_is_not_proven(tmp_path: Path) -> None:
    """c1 stays at c3's half and c2 takes the rest, as if c1 could have had no more at the first stage."""
    groups = [group("c1", 100, 50, stage=1), group("c2", 100, 70, stage=2), group("c3", 40, 20, stage=1)]
    run = replace(
        LEXIMIN,
        uses=green(("G", "A", "25"), ("G", "B", "35"), ("S", "C", "10")),
        claimed={"A": "50", "B": "70", "C": "20"},
        goals=[("fair_share", 1, "0.5"), ("fair_share", 2, "0.7"), ("margin", None, "2700")],
        stages={"c1": 1, "c2": 2, "c3": 1},
        duals=[
            *LEXIMIN.duals[:3],
            "fair_share:2,fair_share,c1,,2.4",
            "fair_share:2,fair_share,c2,,2.4",
            "fair_share:2,claim,A,,4.8",
            "fair_share:2,pool_balance,G,P1,4.8",
            *LEXIMIN.duals[7:],
        ],
        summary=said("leximin", "fair_share", by="customer", groups=groups),
    )
    found = faults_of(run, tmp_path)
    assert [place(f) for f in found] == [("proof/fair_share.csv", "stage", "C19 fair_share")]
    assert found[0].value.startswith("c1: up to ")


def test_a_claim_where_the_strategy_concentrates_elsewhere(tmp_path: Path) -> None:
    run = replace(
        CONCENTRATE,
        uses=[*CONCENTRATE.uses, Use("G", "A", "50", rate="1")],
        claimed={"A": "100", "B": "100"},
        goals=[("chosen_t", None, "100", "Y"), ("margin", None, "4000")],
    )
    first = faults_of(run, tmp_path)[0]
    assert place(first) == ("orders.csv", "claimed_t", "B-A concentrate")
    assert first.row == 2


def test_a_firm_order_is_kept_where_the_strategy_concentrates_elsewhere(tmp_path: Path) -> None:
    """The promise comes first; the chosen product next."""
    run = replace(
        CONCENTRATE,
        tables={
            **CONCENTRATE.tables,
            "orders": CONCENTRATE.tables["orders"].replace("0.5,10,", "0.5,10,true"),
        },
        uses=[*CONCENTRATE.uses, Use("G", "A", "50", rate="1")],
        claimed={"A": "100", "B": "100"},
        goals=[("firm_shortfall_t", 1, "0"), ("chosen_t", None, "100", "Y"), ("margin", None, "4000")],
    )
    assert faults_of(run, tmp_path) == []


def test_less_than_the_least_service(tmp_path: Path) -> None:
    """29 t for c2, not 30."""
    run = replace(
        TONNAGE,
        uses=green(("G", "A", "36.8"), ("G", "B", "23.2")),
        claimed={"A": "73.6", "B": "29"},
        goals=[("tonnage_t", None, "102.6"), ("margin", None, "3346")],
        summary=said("tonnage", "tonnage", groups=[group("c1", 100, 73.6), group("c2", 100, 29, 0.3)]),
    )
    first = faults_of(run, tmp_path)[0]
    assert place(first) == ("orders.csv", "claimed_t", "C16 minimum_service")
    assert first.expected == "at least 30 t, 0.3 of what customer c2 ordered"


def test_two_grams_an_order_less_than_the_least_service_are_the_grids(tmp_path: Path) -> None:
    def with_grams(less: str) -> list[Fault]:
        claimed = Fraction(30) - Fraction(less)
        text = f"{float(claimed):.6f}"
        margin = f"{float(90 * claimed + 720):.6f}"
        groups = [group("c1", 100, 72), group("c2", 100, float(claimed), 0.3)]
        run = replace(
            TONNAGE,
            claimed={"A": "72", "B": text},
            goals=[("tonnage_t", None, f"{float(72 + claimed):.6f}"), ("margin", None, margin)],
            summary=said("tonnage", "tonnage", groups=groups),
        )
        return faults_of(run, tmp_path / less)

    assert with_grams("0.000002") == []
    assert place(with_grams("0.000003")[0]) == ("orders.csv", "claimed_t", "C16 minimum_service")


def test_more_and_less_than_the_common_share_are_told_by_order(tmp_path: Path) -> None:
    """B gives A 1 t: both are named, against the share that the summary tells."""
    run = replace(
        SPREAD,
        uses=green(("G", "A", "28.748588"), ("G", "B", "21.251412"), ("G", "F", "10")),
        claimed={"A": "57.497175", "B": "42.502824", "F": "20"},
        goals=[*SPREAD.goals[:2], ("margin", None, "1950.05647")],
    )
    found = faults_of(run, tmp_path)
    assert [(*place(f), f.row) for f in found[:2]] == [
        ("orders.csv", "claimed_t", "C18 no_more", 2),
        ("orders.csv", "claimed_t", "C17 common_share", 3),
    ]


def test_a_common_share_that_could_be_greater_is_not_proven(tmp_path: Path) -> None:
    """Half of both: true in all figures, but 56 % were possible."""
    run = replace(
        SPREAD,
        uses=green(("G", "A", "25"), ("G", "B", "19.25"), ("G", "F", "10")),
        claimed={"A": "50", "B": "38.5", "F": "20"},
        goals=[SPREAD.goals[0], ("common_share", None, "0.5"), ("margin", None, "1755")],
    )
    found = faults_of(run, tmp_path)
    assert place(found[0]) == ("proof/duals.csv", "common_share", "C15 goal_hold")


def test_a_settled_share_is_as_near_as_its_price_proves(tmp_path: Path) -> None:
    """C has 10 kg less than it could: 0.025 % of its 40 t, which its price shows to the gram."""
    groups = [group("c1", 100, 60, stage=2), group("c2", 100, 60, stage=2), group("c3", 40, 19.99, stage=1)]
    run = write_run(
        tmp_path / "run",
        replace(
            LEXIMIN,
            uses=green(("G", "A", "30"), ("G", "B", "30"), ("S", "C", "9.995")),
            claimed={"A": "60", "B": "60", "C": "19.99"},
            goals=[("fair_share", 1, "0.49975"), *LEXIMIN.goals[1:2], ("margin", None, "2499.95")],
            summary=said("leximin", "fair_share", by="customer", groups=groups),
        ),
    )
    faults = Faults()
    facts = Facts(read_case(run / "case"))
    effects, strategy = Effects(facts), Strategy(facts, dict(LEXIMIN.stages))
    booked = check_orders(run, facts, effects, check_allocation(run, facts, effects, faults), faults)
    groups_read = read_groups(run, facts, faults)
    assert booked is not None
    assert groups_read is not None
    duals = read_duals(run, strategy, groups_read, faults)
    assert duals is not None
    settled = {one.group: one for one in prove(strategy, effects, booked, groups_read, duals).settled}
    assert not faults.found
    assert (settled["c3"].booked, settled["c3"].most) == (Fraction(19_990, 40_000), Fraction(1, 2))
    assert settled["c3"].tolerance < Fraction(3, 10**6)
    assert settled["c1"].most - settled["c1"].booked < settled["c1"].tolerance
    told = [place(fault) for fault in verify_run(run).faults]
    assert ("proof/duals.csv", "fair_share:1", "C15 goal_hold") in told
    assert ("proof/fair_share.csv", "stage", "C19 fair_share") in told


# ---- files spoilt ------------------------------------------------------------------------------------------

Spoil = Callable[[Path], object]


def cell(file: str, at: int, column: str, value: str) -> Spoil:
    """Another text in a cell."""

    def spoil(run: Path) -> None:
        rows = read(run, file)
        rows[at][column] = value
        write(run, file, rows, list(rows[0]))

    return spoil


def lines(file: str, edit: Callable[[list[str]], list[str]]) -> Spoil:
    """Other lines of a file."""

    def spoil(run: Path) -> None:
        path = run / file
        path.write_text("\n".join(edit(path.read_text().splitlines())) + "\n", encoding="utf-8", newline="")

    return spoil


def said_otherwise(edit: Callable[[dict], object]) -> Spoil:
    """Another summary.json."""

    def spoil(run: Path) -> None:
        document = json.loads((run / "summary.json").read_text())
        edit(document)
        (run / "summary.json").write_text(json.dumps(document))

    return spoil


def of_goal(word: str, **change: object) -> Spoil:
    """Another entry of a goal in summary.json."""

    def edit(document: dict) -> None:
        next(goal for goal in document["objectives"] if goal["name"] == word).update(change)

    return said_otherwise(edit)


STAGES, REACH, DUALS = "proof/fair_share.csv", "proof/out_of_reach.csv", "proof/duals.csv"
SPOILT: dict[str, tuple[str, Spoil, tuple[str, str, str]]] = {
    "settled sooner": (
        "leximin", cell(STAGES, 0, "stage", "1"), ("summary.json", "stage", "summary: customer c1"),
    ),
    "settled later": (
        "leximin", cell(STAGES, 2, "stage", "2"), (STAGES, "stage", "C19 fair_share"),
    ),
    "stage left out": ("leximin", cell(STAGES, 2, "stage", "3"), (STAGES, "stage", "C19 fair_share")),
    "stage beyond the groups": (
        "leximin", cell(STAGES, 0, "stage", "4"), (STAGES, "stage", "C19 fair_share"),
    ),
    "stage no number": ("leximin", cell(STAGES, 0, "stage", "1.0"), (STAGES, "stage", "C19 fair_share")),
    "group unknown": ("leximin", cell(STAGES, 0, "group", "c9"), (STAGES, "group", "C19 fair_share")),
    "group twice": ("leximin", cell(STAGES, 0, "group", "c2"), (STAGES, "group", "C19 fair_share")),
    "group left out": ("leximin", lines(STAGES, lambda t: t[:-1]), (STAGES, "group", "C19 fair_share")),
    "no stages": ("leximin", lambda run: (run / STAGES).unlink(), (STAGES, "", "files")),
    "stages of nothing": (
        "tonnage", lambda run: (run / STAGES).write_text("group,stage\n"), (STAGES, "", "C19 fair_share"),
    ),
    "reach of nothing": (
        "tonnage", lambda run: (run / REACH).write_text("equation,key,index,dual\n"),
        (REACH, "", "C17 common_share"),
    ),
    "price of a fair share lower": (
        "leximin", cell(DUALS, 3, "dual", "1.1"), (DUALS, "fair_share:2", "C15 goal_hold"),
    ),
    "price of a group that is none": (
        "leximin", cell(DUALS, 3, "key", "c9"), (DUALS, "equation", "C15 goal_hold"),
    ),
    "price of an order that has no part": (
        "spread", cell(DUALS, 0, "key", "F"), (DUALS, "equation", "C15 goal_hold"),
    ),
    "price of a least share that nobody asked": (
        "tonnage", cell(DUALS, 3, "index", "c1"), (DUALS, "equation", "C15 goal_hold"),
    ),
    "price of a least share higher": (
        "tonnage", cell(DUALS, 3, "dual", "0.7"), (DUALS, "tonnage", "C15 goal_hold"),
    ),
    "price of the common share lower": (
        "spread", cell(DUALS, 0, "dual", "1.04"), (DUALS, "common_share", "C15 goal_hold"),
    ),
    "common share told higher": (
        "spread", of_goal("common_share", value=0.57), ("orders.csv", "claimed_t", "C17 common_share"),
    ),
    "common share told a little higher": (
        "spread", of_goal("common_share", value=0.564971755),
        ("summary.json", "common_share", "C15 goal_hold"),
    ),
    "common share told lower": (
        "spread", of_goal("common_share", value=0.56), ("orders.csv", "claimed_t", "C18 no_more"),
    ),
    "common share no number": (
        "spread", of_goal("common_share", value=None), ("summary.json", "common_share", "C15 goal_hold"),
    ),
    "fair share told higher": (
        "leximin", of_goal("fair_share", value=0.5001), ("summary.json", "fair_share:1", "C15 goal_hold"),
    ),
    "stage told otherwise": (
        "leximin", of_goal("fair_share", priority=3), ("summary.json", "objectives", "C15 goal_hold"),
    ),
    "product told otherwise": (
        "concentrate", of_goal("chosen_t", group="X"), ("summary.json", "objectives", "C15 goal_hold"),
    ),
    "expiry told lower": (
        "least-expiry", of_goal("expired_tco2e", value=459), ("summary.json", "expiry", "C15 goal_hold"),
    ),
    "weighted told higher": (
        "weighted", of_goal("weighted", value=-729), ("summary.json", "weighted", "C15 goal_hold"),
    ),
    "strategy told otherwise": (
        "spread", said_otherwise(lambda d: d["strategy"].update(name="leximin")),
        ("summary.json", "strategy.name", "summary"),
    ),
    "strategy not told": (
        "spread", said_otherwise(lambda d: d.pop("strategy")), ("summary.json", "strategy.name", "summary"),
    ),
    "weight told otherwise": (
        "weighted", said_otherwise(lambda d: d["strategy"]["weights"].update(margin=1)),
        ("summary.json", "strategy.weights.margin", "summary"),
    ),
    "service told higher": (
        "leximin", said_otherwise(lambda d: d["strategy"]["groups"][0].update(service=0.61)),
        ("summary.json", "service", "summary: customer c1"),
    ),
    "least share told lower": (
        "tonnage", said_otherwise(lambda d: d["strategy"]["groups"][1].update(minimum=0.2)),
        ("summary.json", "minimum", "summary: customer c2"),
    ),
    "group not told": (
        "leximin", said_otherwise(lambda d: d["strategy"]["groups"].pop()),
        ("summary.json", "strategy.groups", "summary"),
    ),
    "out of reach at prices that do not show it": (
        "spread", cell(REACH, 1, "dual", "1.1"), (REACH, "key", "C17 common_share"),
    ),
    "out of reach though a lot would do": (
        "spread", cell(REACH, 0, "dual", "1.01"), (REACH, "key", "C17 common_share"),
    ),
    "out of reach below zero": (
        "spread", cell(REACH, 0, "dual", "-1"), (REACH, "dual", "C17 common_share"),
    ),
    "out of reach by no row": (
        "spread", cell(REACH, 0, "key", "Q"), (REACH, "equation", "C17 common_share"),
    ),
    "not out of reach any more": (
        # H would have to have its part
        "spread", lines(REACH, lambda t: t[:1]), ("orders.csv", "claimed_t", "C17 common_share"),
    ),
    "why it is out of reach": ("spread", lambda run: (run / REACH).unlink(), (REACH, "", "files")),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_what_is_spoilt_is_named_first(kind: str, sound: dict[str, Path], tmp_path: Path) -> None:
    """Each with the manifest signed anew."""
    name, spoil, expected = SPOILT[kind]
    run = tmp_path / "run"
    shutil.copytree(sound[name], run)
    spoil(run)
    sign(run)
    found = [place(fault) for fault in verify_run(run).faults]
    assert found[0] == expected, found


def test_a_bent_row_counts_for_what_it_is_bent(sound: dict[str, Path]) -> None:
    """B has 0.75 g less than its part of the common share: at a price of 1 that is in the bound."""
    case = read_case(sound["spread"] / "case")
    facts = Facts(case)
    hopeless = facts.names.to_numpy(zero_copy_only=False) == "H"
    strategy = Strategy(facts, {}, hopeless)
    claimed = facts.mass.copy()
    claimed[:] = [56_497_175, 43_502_824, 20_000_000, 0]
    served = Served(strategy, claimed)
    shares = Shares(strategy, served, {("common_share", "B", ""): DUAL}, "margin", {"margin": DUAL})
    assert served.common == Fraction(56_497_175, 10**8)
    assert shares.constant == served.common * 77 - Fraction(43_502_824, 10**6)
    assert Fraction(0) < shares.constant < Fraction(1, 10**6)
    other = Shares(strategy, served, {("no_more", "B", ""): DUAL}, "margin", {"margin": DUAL})
    assert other.constant == 77  # the share column alone: the row itself is kept
