"""The peer: one variable per order and lot, solved by the HiGHS that comes with scipy.

    python benchmarks/plain.py CASE

prints one JSON object: objectives, columns, rows, seconds. The same goals in the same order as
`massbalance run`, on the same equations, but only as far as generated cases go (generate.py: no origins,
offers, whole orders or least shares), without intake checks, without the goals that make the answer
unique, and without booking, verifying or writing anything.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import coo_array, vstack

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

SHARES = {
    "green_share": ("green_share",),
    "recycled_share": ("recycled_pre", "recycled_post"),
    "post_consumer_share": ("recycled_post",),
}
CARRIERS = {"MWh": "electricity_mwh_per_t", "GJ": "heat_gj_per_t"}


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """The case's tables; "" where nothing is given in a text column."""
    text = {"alloy": str, "key": str, "scopes": str}
    return {p.stem: pd.read_csv(p, dtype=text, keep_default_na=False) for p in sorted(folder.glob("*.csv"))}


@dataclass
class Columns:
    """One column per order, lot and scope; `order` and `lot` are positions, `scope` is 1 to 3."""

    order: Index
    lot: Index
    scope: Index


class Plain:
    """A x <= b over the columns (order, lot, scope) and then one claimed mass per order."""

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        self.tables, self.lots = tables, tables["lots"]
        self.orders = tables["orders"]
        products = tables["products"].set_index("product")
        self.product = products.loc[self.orders["product"]].reset_index(drop=True)
        self.sites = tables["sites"].set_index("site")
        self.columns = self.feasible()
        self.gain = self.reductions()
        self.parts: list[tuple[Floats, Index, Index]] = []
        self.rows = 0
        self.limits: list[Floats] = []

    def feasible(self) -> Columns:
        """Window, boundary, accepted schemes, alloy and category."""
        lots, orders = self.lots, self.orders
        end = tables_end(self.tables["periods"], orders["period"])
        may = (lots["used"].to_numpy()[None, :] <= end[:, None]) & (
            end[:, None] <= lots["expires"].to_numpy()
        )
        unit = self.sites["unit"]
        same = unit[self.product["site"]].to_numpy()[:, None] == unit[lots["site"]].to_numpy()
        may &= same | (lots["kind"] == "project").to_numpy()
        schemes = orders["schemes"].to_numpy()[:, None]
        may &= (schemes == "") | (schemes == lots["scheme"].to_numpy())
        caps = self.tables["alloys"].set_index(["alloy", "category"])["max_share"]
        pairs = [(a, c) in caps.index for a in self.product["alloy"] for c in lots["category"]]
        may &= np.array(pairs).reshape(may.shape) | (lots["kind"] != "material").to_numpy()
        order, lot = np.nonzero(may)
        scopes = [self.scopes(row) for row in lots.itertuples()]
        count = np.array([len(s) for s in scopes])[lot]
        scope = np.concatenate([scopes[at] for at in lot]) if len(lot) else np.zeros(0, dtype=np.intp)
        return Columns(np.repeat(order, count), np.repeat(lot, count), scope)

    @staticmethod
    def scopes(lot: Any) -> Index:
        """Scopes of a lot; material is 3, electricity 2, heat 1."""
        default = {"t": "3", "MWh": "2", "GJ": "1"}
        return np.array([int(s) for s in (lot.scopes or default[lot.uom]).split("+")], dtype=np.intp)

    def reductions(self) -> Floats:
        """T CO2e that one unit takes off the order's product, per column."""
        lot = self.lots.iloc[self.columns.lot].reset_index(drop=True)
        product = self.product.iloc[self.columns.order].reset_index(drop=True)
        displaced = np.minimum(self.mean_metal(lot["site"]), product["metal_tco2e_per_t"])
        factor = {
            "MWh": self.sites["electricity_tco2e_per_mwh"][lot["site"]].to_numpy(),
            "GJ": self.sites["heat_tco2e_per_gj"][lot["site"]].to_numpy(),
        }
        for uom, value in factor.items():
            displaced = np.where(lot["uom"] == uom, value, displaced)
        gain = np.maximum(0.0, displaced - lot["intensity_tco2e_per_uom"])
        return np.where(lot["kind"] == "project", 1.0, gain)

    def mean_metal(self, site: pd.Series) -> Floats:
        """Mean conventional metal of the accounting unit, floored to a millionth."""
        products = self.tables["products"].set_index("product")
        made = self.tables["production"].join(products, on="product")
        weight = made["mass_t"] / made["t_product_per_t_input"]
        unit = self.sites["unit"][made["site"]].to_numpy()
        sums = pd.DataFrame({"w": weight, "v": weight * made["metal_tco2e_per_t"]}).groupby(unit).sum()
        mean = np.floor(sums["v"] / sums["w"] * 1e6) / 1e6
        return np.asarray(mean[self.sites["unit"][site].to_numpy()].to_numpy())

    def add(self, value: Floats, claimed: Floats) -> None:
        """One row per order: sum of value * x <= claimed * y."""
        orders, used = len(self.orders), np.flatnonzero(value)
        at = np.arange(orders)
        first = len(self.columns.order)
        self.parts.append((value[used], self.rows + self.columns.order[used], used))
        self.parts.append((-claimed, self.rows + at, first + at))
        self.limits.append(np.zeros(orders))
        self.rows += orders

    def build(self) -> None:
        """Claims, caps and lots' quantities."""
        lot = self.lots.iloc[self.columns.lot].reset_index(drop=True)
        order = self.columns.order
        metal = (lot["kind"] == "material").to_numpy()
        mass = np.where(metal, self.product["t_product_per_t_input"].to_numpy()[order], 0.0)
        self.add_claim(lot, mass)
        self.add(mass, np.ones(len(self.orders)))
        caps = self.tables["alloys"].set_index(["category", "alloy"])["max_share"]
        for category in caps.index.unique(0):
            limit = caps[category][self.product["alloy"]].to_numpy()
            self.add(np.where(lot["category"] == category, mass, 0.0), limit)
        self.add_elements(lot, mass)
        for uom, column in CARRIERS.items():
            self.add(np.where(lot["uom"] == uom, 1.0, 0.0), self.product[column].to_numpy())
        for scope in (1, 2, 3):
            self.add(
                np.where(self.columns.scope == scope, self.gain, 0.0), self.product[f"s{scope}"].to_numpy()
            )
        columns = np.arange(len(order))
        self.parts.append((np.ones(len(order)), self.rows + self.columns.lot, columns))
        self.limits.append(self.lots["quantity"].to_numpy())
        self.rows += len(self.lots)

    def add_claim(self, lot: pd.DataFrame, mass: Floats) -> None:
        """At least the level, on the claimed mass."""
        claim = self.orders["claim"].to_numpy()
        value, need = self.gain.copy(), self.orders["level"].to_numpy().astype(float)
        total = (self.product["s1"] + self.product["s2"] + self.product["s3"]).to_numpy()
        need = np.where(claim == "cfp", np.maximum(0.0, total - need), need)
        for share, columns in SHARES.items():
            asked = (claim == share)[self.columns.order]
            value = np.where(asked, mass * lot[list(columns)].sum(axis=1), value)
        self.add(-value, -need)

    def add_elements(self, lot: pd.DataFrame, mass: Floats) -> None:
        """Per element of the alloy: what the lots bring in and the base metal that fills the rest."""
        wt = self.tables["composition"].set_index(["element", "key"])["wt_pct"]
        limits = self.tables["alloy_limits"].set_index(["element", "alloy"])["max_wt_pct"]
        for element in limits.index.unique(0):
            over = lot["category"].map(wt[element]).fillna(0.0).to_numpy() - wt[element]["base"]
            room = limits[element][self.product["alloy"]].to_numpy() - wt[element]["base"]
            self.add(np.where(mass > 0, over * mass, 0.0), room)

    def solve(self) -> list[dict[str, Any]]:
        """Firm shortfall by priority, then margin; each goal is held while the next is optimised."""
        orders, first = self.orders, len(self.columns.order)
        width = first + len(orders)
        value, row, column = (np.concatenate(p) for p in zip(*self.parts, strict=True))
        matrix = coo_array((value, (row, column)), shape=(self.rows, width)).tocsr()
        limit = np.concatenate(self.limits)
        quantity = self.lots["quantity"].to_numpy()[self.columns.lot]
        bounds = np.column_stack([np.zeros(width), np.concatenate([quantity, orders["mass_t"]])])
        firm, priority = orders["firm"].to_numpy(dtype=bool), orders["priority"].to_numpy()
        found: list[dict[str, Any]] = []
        for level in [*np.unique(priority[firm]), None]:
            goal = np.zeros(width)
            if level is None:
                goal[:first] = -self.lots["unit_cost"].to_numpy()[self.columns.lot]
                goal[first:] = orders["premium_per_t"]
            else:
                goal[first:] = firm & (priority == level)
            answer = linprog(-goal, A_ub=matrix, b_ub=limit, bounds=bounds, method="highs")
            if answer.status != 0:
                raise SystemExit(f"plain model: {answer.message}")
            reached = float(goal @ answer.x)
            if level is None:
                found.append({"name": "margin", "priority": None, "value": reached})
            else:
                short = float(orders["mass_t"].to_numpy() @ goal[first:]) - reached
                found.append({"name": "firm_shortfall_t", "priority": int(level), "value": short})
            matrix = vstack([matrix, coo_array(-goal[None, :])]).tocsr()
            limit = np.append(limit, -reached)
        return found


def tables_end(periods: pd.DataFrame, period: pd.Series) -> npt.NDArray[np.object_]:
    """Last day of each order's period, ISO text."""
    return np.asarray(periods.set_index("period")["end"][period].to_numpy(dtype=object))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("case", type=Path)
    clock = [time.perf_counter()]
    tables = read(parser.parse_args().case)
    clock.append(time.perf_counter())
    model = Plain(tables)
    model.build()
    clock.append(time.perf_counter())
    objectives = model.solve()
    clock.append(time.perf_counter())
    seconds = dict(zip(("read", "build", "solve"), np.diff(clock).tolist(), strict=True))
    columns = len(model.columns.order) + len(model.orders)
    print(json.dumps({"objectives": objectives, "columns": columns, "rows": model.rows, "seconds": seconds}))


if __name__ == "__main__":
    main()
