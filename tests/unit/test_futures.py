"""Sampled futures: what is drawn depends on the seed, the future's number and the row only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused
from massbalance.intake.read import read_case
from massbalance.scenario.chance import DAYS, FACTOR, WHOLE, NoDistribution, happens, parse, ticket
from massbalance.scenario.futures import Futures
from massbalance.scenario.futures_file import read_futures
from tests.golden.tiny import tiny

EVERYTHING = """
name = "all kinds"
seed = 11
count = 400
today = 2026-04-01

[[late]]
where = { category = "ingot" }
probability = 0.25
days = { triangular = [0, 10, 40] }

[[short]]
probability = 0.5
factor = { uniform = [0.6, 1] }

[[cancelled]]
where = { firm = true, mass_t = 10.0 }
probability = 0.1

[[yield]]
by = "site"
factor = { values = [0.98, 1, 1.005], weights = [1, 2, 1] }
"""
LOTS = {f"L{n}": {"quantity": 6, "green_share": 1, "received": "2026-05-01"} for n in range(4)}
ORDERS = {"O1": {"mass_t": 10, "firm": "true"}, "O2": {"mass_t": 10}, "O3": {"mass_t": 9, "firm": "true"}}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    old = {"OLD": {"quantity": 6, "green_share": 1, "received": "2026-03-31"}}
    products = {"bar": {"t_product_per_t_input": 0.9}, "rod": {}}
    return read_case(tiny(lots={**LOTS, **old}, orders=ORDERS, products=products).write(tmp_path / "case"))


@pytest.fixture
def described(tmp_path: Path, case: Case) -> Callable[[str], Futures]:
    def read(text: str) -> Futures:
        file = tmp_path / "futures.toml"
        file.write_text(text, encoding="utf-8")
        return read_futures(file, case)

    return read


def test_a_future_does_not_depend_on_how_many_are_drawn_or_on_other_rows(
    described: Callable[[str], Futures], tmp_path: Path
) -> None:
    whole = described(EVERYTHING)
    some = whole.again(count=7)
    assert list(some) == list(whole)[:7]
    assert whole.draw(5) == list(whole)[4]
    # the same lots among others, in another order of rows
    lots = {"A0": {"quantity": 1, "received": "2026-05-01"}, **dict(reversed(LOTS.items()))}
    other = read_case(tiny(lots=lots, orders=dict(reversed(ORDERS.items()))).write(tmp_path / "other"))
    for mine, theirs in zip(whole, read_futures(tmp_path / "futures.toml", other), strict=True):
        assert {lot: days for lot, days in theirs.delays.items() if lot != "A0"} == mine.delays
        assert {lot: part for lot, part in theirs.factors.items() if lot != "A0"} == mine.factors
        assert theirs.cancelled == mine.cancelled


def test_another_seed_gives_other_futures(described: Callable[[str], Futures]) -> None:
    whole = described(EVERYTHING)
    assert [f.same for f in whole] != [f.same for f in whole.again(seed=12)]


def test_draws_are_exact_and_within_what_was_said(described: Callable[[str], Futures]) -> None:
    futures = list(described(EVERYTHING))
    delays = [days for one in futures for days in one.delays.values()]
    factors = [part for one in futures for part in one.factors.values()]
    assert all(isinstance(days, int) and 1 <= days <= 40 for days in delays)
    assert all(Decimal("0.6") <= part < 1 and part == round(part, 6) for part in factors)
    assert {part for one in futures for part in one.yields.values()} == {Decimal("0.98"), Decimal("1.005")}


def test_shares_of_what_happens_are_near_their_probabilities(described: Callable[[str], Futures]) -> None:
    """Four standard deviations: a fair draw fails this in one seed of ten thousand, and the seed is fixed."""
    futures = list(described(EVERYTHING))
    lots, n = 4, 400
    late = sum(len(one.delays) for one in futures) / (lots * n)
    short = sum(len(one.factors) for one in futures) / (lots * n)
    gone = sum(len(one.cancelled) for one in futures) / n
    assert late == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / (lots * n)) ** 0.5)
    assert short == pytest.approx(0.5, abs=4 * (0.25 / (lots * n)) ** 0.5)
    assert gone == pytest.approx(0.1, abs=4 * (0.09 / n) ** 0.5)
    days = [days for one in futures for days in one.delays.values()]
    assert sum(days) / len(days) == pytest.approx(50 / 3, abs=4 * 8.5 / len(days) ** 0.5)


def test_only_rows_that_meet_every_condition_are_struck(described: Callable[[str], Futures]) -> None:
    """O2 is not firm, O3 weighs 9 t, and OLD was there before the first day."""
    futures = list(described(EVERYTHING))
    assert {order for one in futures for order in one.cancelled} == {"O1"}
    assert {lot for one in futures for lot in (*one.delays, *one.factors)} == set(LOTS)
    earlier = described(EVERYTHING.replace("today = 2026-04-01", "today = 2026-03-31"))
    assert "OLD" in {lot for one in earlier for lot in one.factors}


def test_conditions_are_those_of_scenarios(described: Callable[[str], Futures]) -> None:
    """A pattern, a comparison of dates, and one of figures."""
    wanted = (
        'lot = "L*"',
        'received = { ">=" = 2026-05-01 }',
        'lot = { "!=" = "OLD" }, quantity = { "<" = 7 }',
    )
    for where in wanted:
        futures = described(f"today = 2026-01-01\n[[short]]\nfactor = 0.5\nwhere = {{ {where} }}")
        assert set(futures.draw(1).factors) == set(LOTS)


def test_rows_that_draw_by_a_column_fare_alike(described: Callable[[str], Futures]) -> None:
    assert all(one.yields.get("bar") == one.yields.get("rod") for one in described(EVERYTHING))
    late = described('[[late]]\nby = "category"\nprobability = 0.5\ndays = { uniform = [1, 300] }')
    assert all(len(set(one.delays.values())) == 1 and len(one.delays) == 4 for one in late if one.delays)
    alone = described("[[late]]\nprobability = 0.5\ndays = { uniform = [1, 300] }")
    assert any(len(set(one.delays.values())) > 1 for one in alone)


def test_several_rules_add_delays_and_multiply_factors(described: Callable[[str], Futures]) -> None:
    rules = ("[[late]]\ndays = 3", "[[late]]\ndays = 4", "[[short]]\nfactor = 0.5", "[[short]]\nfactor = 0.9")
    one = described("\n".join(rules)).draw(1)
    assert set(one.delays.values()) == {7}
    assert set(one.factors.values()) == {Decimal("0.45")}


def test_what_comes_as_the_case_says_is_not_named(described: Callable[[str], Futures]) -> None:
    one = described("[[late]]\ndays = 0\n[[short]]\nfactor = 1\n[[yield]]\nfactor = 1").draw(1)
    assert not any((one.delays, one.factors, one.yields, one.cancelled))


def test_a_rule_whose_lots_are_all_there_is_noted(described: Callable[[str], Futures]) -> None:
    found = described('[[late]]\nwhere = { lot = "OLD" }\ndays = 3')
    assert found.notes == ("late 1: every lot that it names is there before 2026-04-01",)
    assert not found.draw(1).delays


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("cuont = 3", "cuont", "`count`"),
        ("count = 0", "count", "from 1"),
        ("seed = 1.5", "seed", "whole number"),
        ("today = 'x'", "today", "a date"),
        ("late = 3", "late", "[[late]]"),
        ("[[late]]\nprobability = 0.5", "late 1.days", "whole days"),
        ("[[late]]\ndays = 1.5", "late 1.days", "whole days"),
        ("[[late]]\ndays = -1", "late 1.days", "whole days"),
        ("[[late]]\ndays = nan", "late 1.days", "whole days"),
        ("[[late]]\ndays = 1e999999999", "late 1.days", "whole days"),
        ("[[late]]\ndays = true", "late 1.days", "whole days"),
        ("[[late]]\ndays = []", "late 1.days", "a list"),
        ("[[late]]\ndays = { unifrom = [1, 2] }", "late 1.days", "`uniform`"),
        ("[[late]]\ndays = { uniform = [1, 2, 3] }", "late 1.days", "2 figures"),
        ("[[late]]\ndays = { uniform = [2, 1] }", "late 1.days", "least figure first"),
        ("[[late]]\ndays = { values = [2, 1], weights = [1] }", "late 1.days", "2 weights"),
        ("[[late]]\ndays = { values = [2, 1], weights = [0, 0] }", "late 1.days", "not all 0"),
        ("[[late]]\ndays = 1\nprobability = 1.1", "late 1.probability", "from 0 to 1"),
        ("[[short]]\nfactor = 1.1", "short 1.factor", "0 to 1"),
        ("[[short]]\nfactor = 0.1234567", "short 1.factor", "6 decimals"),
        ("[[yield]]\nfactor = 0", "yield 1.factor", "above 0"),
        ("[[cancelled]]", "cancelled 1.probability", "from 0 to 1"),
        ("[[cancelled]]\nprobability = 1\nfactor = 1", "cancelled 1.factor", "a known key"),
        ("[[short]]\nfactor = 1\nwhere = { catgory = 'ingot' }", "short 1.where.catgory", "`category`"),
        ("[[short]]\nfactor = 1\nwhere = { category = 'ingto' }", "short 1.where", "a row of `lots`"),
        ("[[short]]\nfactor = 1\nwhere = 3", "short 1.where", "conditions"),
        ("[[short]]\nfactor = 1\nwhere = { quantity = 'much' }", "short 1.where.quantity", "a number"),
        ("[[short]]\nfactor = 1\nby = 'sit'", "short 1.by", "`site`"),
        ("[[short]]\nfactor = 1\nname = 'late 1'\n[[late]]\ndays = 1", "name", "once"),
        ("[[short]", "", "a TOML file"),
    ],
)
def test_what_is_wrong_is_told(
    described: Callable[[str], Futures], text: str, column: str, expected: str
) -> None:
    with pytest.raises(CaseRefused) as refused:
        described(text)
    assert [fault.column for fault in refused.value.faults] == [column]
    assert expected in refused.value.faults[0].expected


def test_all_faults_are_told_at_once(described: Callable[[str], Futures]) -> None:
    with pytest.raises(CaseRefused) as refused:
        described("count = 0\n[[late]]\nprobability = 2\n[[short]]\nfactor = 3")
    assert len(refused.value.faults) == 4


def test_distributions_reach_their_ends_and_no_further() -> None:
    last = WHOLE - 1
    for written, low, high in (
        ({"uniform": [2, 5]}, 2, 5),
        ({"triangular": [0, 0, 9]}, 0, 9),
        ([3, 8], 3, 8),
    ):
        drawn = [parse(written, DAYS).draw(at) for at in (0, last)]
        assert drawn == [low * 10**6, high * 10**6]
    assert parse({"uniform": [Decimal("0.5"), 1]}, FACTOR).draw(WHOLE // 2) == 750_000


def test_whole_days_are_equally_likely() -> None:
    """Eight tickets spaced evenly over a uniform distribution of four days strike each twice."""
    days = parse({"uniform": [1, 4]}, DAYS)
    assert Counter(days.draw(WHOLE * n // 8) for n in range(8)) == {d * 10**6: 2 for d in (1, 2, 3, 4)}


def test_a_triangle_has_its_median_where_the_formula_says() -> None:
    """Of 0, 10, 40: half lies below 40 - sqrt(0.5 * 40 * 30) = 15.505."""
    assert parse({"triangular": [0, 10, 40]}, DAYS).draw(WHOLE // 2) == 16 * 10**6
    low = parse({"triangular": [Decimal(0), Decimal("0.25"), Decimal(1)]}, FACTOR).draw(WHOLE // 2)
    assert low == 10**6 - 612_372


def test_probabilities_are_compared_exactly() -> None:
    assert not happens(Fraction(0), 0)
    assert happens(Fraction(1), WHOLE - 1)
    assert happens(Fraction(1, 2), WHOLE // 2 - 1)
    assert not happens(Fraction(1, 2), WHOLE // 2)


def test_a_ticket_is_the_same_on_every_machine() -> None:
    """The first eight bytes that `printf '7\\x1flate 1\\x1fL0' | sha256sum` prints."""
    assert ticket(7, "late 1", "L0") == 0xA67A0274C3531462
    assert ticket("ab", "c") != ticket("a", "bc")


def test_no_distribution_says_what_it_wants() -> None:
    with pytest.raises(NoDistribution, match="a list"):
        parse({"values": 3}, DAYS)
