"""Recipes: orders (or offers) whose feasible mixes per tonne are the same.

Every cap and claim is relative to the claimed mass, so what an order adds to its recipe is only
mass, price and firmness. Product limits are shared by recipes: they are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.domain.case import Case, IndexArray, Table
from massbalance.domain.effects import Effects
from massbalance.domain.grid import Column, shrink
from massbalance.formulation.nearest import codes_of, numbered, rows_of
from massbalance.formulation.pools import Composition

GHG_CLAIMS = ("cfp", "reduction")
SHARE_CLAIMS = ("green_share", "recycled_share", "post_consumer_share")


@dataclass(frozen=True)
class Terms:
    """What may be taken: each order's own terms and its offers, sorted by (order, offer).

    order: position of the order; offer: position in `offers`, -1 for own terms; claim: text;
    level, premium: exact. Shape (n,).
    """

    order: IndexArray
    offer: IndexArray
    claim: npt.NDArray[np.object_]
    level: Column
    premium: Column

    def __len__(self) -> int:
        return len(self.order)


def _claims(table: Table) -> npt.NDArray[np.object_]:
    codes, words = codes_of(table, "claim")
    return words[codes]


def build_terms(case: Case) -> Terms:
    """Own terms of every order, and every offer."""
    orders, offers = case.orders, case.offers
    own = np.arange(len(orders), dtype=np.intp)
    if len(offers) == 0:
        exact = orders.exact
        none = np.full(len(own), -1, dtype=np.intp)
        return Terms(own, none, _claims(orders), exact["level"], exact["premium_per_t"])
    order = np.concatenate([own, orders.find(offers.text("order"))])
    offer = np.concatenate([np.full(len(own), -1), np.arange(len(offers))]).astype(np.intp)
    at = np.lexsort((offer, order))
    claim = np.concatenate([_claims(orders), _claims(offers)])[at]
    level, premium = (
        orders.exact[name].joined(offers.exact[name]).take(at) for name in ("level", "premium_per_t")
    )
    return Terms(order[at], offer[at], claim, level, premium)


@dataclass(frozen=True)
class Limit:
    """What one tonne of a product may take; exact. Products alike in all of it share one.

    product: position of the representative; scopes: s1, s2, s3 (t CO2e per t); rate:
    t_product_per_t_input; shares: category -> max_share; elements: element -> (max wt %, wt %
    of the base metal), only where there is a maximum; use: carrier -> MWh or GJ per t.
    """

    product: int
    scopes: tuple[Fraction, Fraction, Fraction]
    rate: Fraction
    shares: dict[str, Fraction]
    elements: dict[str, tuple[Fraction, Fraction]]
    use: dict[str, Fraction]

    @property
    def baseline(self) -> Fraction:
        """s1 + s2 + s3, t CO2e per t."""
        return sum(self.scopes, Fraction(0))


def _alloy_shares(case: Case) -> dict[str, dict[str, Fraction]]:
    table = case.alloys
    found: dict[str, dict[str, Fraction]] = {}
    for i, (alloy, category) in enumerate(zip(table.text("alloy"), table.text("category"), strict=True)):
        found.setdefault(alloy, {})[category] = table.exact["max_share"].fraction(i)
    return found


def _alloy_elements(case: Case, parts: Composition) -> dict[str, dict[str, tuple[Fraction, Fraction]]]:
    table = case.alloy_limits
    maximum = table.exact["max_wt_pct"]
    found: dict[str, dict[str, tuple[Fraction, Fraction]]] = {}
    for i, (alloy, element) in enumerate(zip(table.text("alloy"), table.text("element"), strict=True)):
        if maximum.given[i]:
            value, decimals = parts.base_of(alloy, element)
            found.setdefault(alloy, {})[element] = (maximum.fraction(i), Fraction(value, 10**decimals))
    return found


ENERGY_USE = (("electricity", "electricity_mwh_per_t"), ("heat", "heat_gj_per_t"))
"""Carrier and the column of `products` that gives its use."""


def _alike(case: Case, effects: Effects, alloys: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Limit of each product and the first product of each limit; alloys: code of each product's alloy."""
    products, areas = case.products, effects.boundaries
    at_site = case.sites.find(products.text("site"))
    use = [products.exact[name] for _, name in ENERGY_USE]
    exact = [products.exact[name] for name in ("s1", "s2", "s3", "t_product_per_t_input")]
    may_lack = [products.exact["metal_tco2e_per_t"]]
    may_lack += [column.take(at_site) for column in effects.site_factor.values()]
    columns: list[npt.NDArray[Any]] = [alloys, products.text("gas")]
    columns += [areas.of_products(case.rules.boundary(k)) for k in ("material", "energy", "project")]
    columns += [column.values for column in [*exact, *may_lack, *use]]
    columns += [column.given for column in may_lack]
    return numbered([pd.factorize(column)[0].astype(np.intp) for column in columns])


def build_limits(case: Case, effects: Effects, parts: Composition) -> tuple[list[Limit], IndexArray]:
    """The distinct product limits, and the limit of each product, shape (products,)."""
    exact = case.products.exact
    alloys, names = codes_of(case.products, "alloy")
    all_shares, all_elements = _alloy_shares(case), _alloy_elements(case, parts)
    shares = [dict(sorted(all_shares.get(name, {}).items())) for name in names]
    elements = [dict(sorted(all_elements.get(name, {}).items())) for name in names]
    known: dict[object, int] = {}
    same = [
        known.setdefault((tuple(s.items()), tuple(e.items())), len(known))
        for s, e in zip(shares, elements, strict=True)
    ]
    of_product, first = _alike(case, effects, np.array(same, dtype=np.intp)[alloys])
    limits = [
        Limit(
            product=p,
            scopes=(exact["s1"].fraction(p), exact["s2"].fraction(p), exact["s3"].fraction(p)),
            rate=exact["t_product_per_t_input"].fraction(p),
            shares=shares[alloys[p]],
            elements=elements[alloys[p]],
            use={
                carrier: exact[name].fraction(p) for carrier, name in ENERGY_USE if exact[name].values[p] > 0
            },
        )
        for p in first.tolist()
    ]
    return limits, of_product


@dataclass(frozen=True)
class Recipes:
    """R recipes, sorted by their first term, and the recipe of each term.

    of_term: shape (terms,); first_term, limit, period, schemes: shape (R,); claim: text;
    level: exact; need: exact claim per t of claimed mass (t per t or t CO2e per t);
    scheme_sets: the accepted schemes, empty = all; ids: `order` or `order/offer`.
    """

    of_term: IndexArray
    first_term: IndexArray
    limit: IndexArray
    period: IndexArray
    claim: npt.NDArray[np.object_]
    level: Column
    need: Column
    schemes: IndexArray
    scheme_sets: tuple[frozenset[str], ...]
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.first_term)


def _scheme_sets(case: Case) -> tuple[IndexArray, tuple[frozenset[str], ...]]:
    """Accepted schemes of each order as a code, and what each code accepts."""
    codes, texts = codes_of(case.orders, "schemes")
    sets = [frozenset(part.strip() for part in str(text).split(";") if part.strip()) for text in texts]
    distinct = sorted(set(sets), key=sorted)
    number = np.array([distinct.index(s) for s in sets], dtype=np.intp)
    return number[codes] if len(codes) else np.empty(0, dtype=np.intp), tuple(distinct)


def _need(case: Case, claim: npt.NDArray[np.object_], level: Column, product: IndexArray) -> Column:
    """Claim per t of claimed mass: the level, or for `cfp` what lies above it, at least 0.

    product: one of those that each recipe's limit stands for.
    """
    s1, s2, s3 = (case.products.exact[name].take(product).or_zero() for name in ("s1", "s2", "s3"))
    above = s1.plus(s2).plus(s3).minus(level).floor_at_zero()
    is_cfp = claim == "cfp"
    a, b, decimals = above.aligned(level)
    return Column.of(shrink(np.where(is_cfp, a, b)), decimals)


def _ids(case: Case, terms: Terms, chosen: IndexArray) -> tuple[str, ...]:
    """`order`, or `order/offer`, of the chosen terms."""
    ids = np.array(case.orders.rows["order"].iloc[terms.order[chosen]].astype(object), dtype=object)
    offers = case.offers.text("offer")
    for i in np.flatnonzero(terms.offer[chosen] >= 0):
        ids[i] = f"{ids[i]}/{offers[terms.offer[chosen[i]]]}"
    return tuple(ids.tolist())


def recipe_id(case: Case, terms: Terms, term: int) -> str:
    """`order`, or `order/offer` for an offer."""
    order, offer = case.orders.text("order")[terms.order[term]], terms.offer[term]
    return str(order) if offer < 0 else f"{order}/{case.offers.text('offer')[offer]}"


def build_recipes(
    case: Case,
    terms: Terms,
    limit_of_product: IndexArray,
    limits: list[Limit],
    apart: IndexArray | None = None,
) -> Recipes:
    """Group terms by product limit, period, claim, level and accepted schemes.

    apart: a code of each order, shape (orders,); orders with different codes share no recipe.
    """
    orders = case.orders
    limit = limit_of_product[rows_of(case.products, orders, "product")][terms.order]
    period = rows_of(case.periods, orders, "period")[terms.order]
    order_schemes, scheme_sets = _scheme_sets(case)
    schemes = order_schemes[terms.order]
    claim = pd.factorize(terms.claim)[0].astype(np.intp)
    level_code = pd.factorize(terms.level.values)[0].astype(np.intp)
    keys = [limit, period, claim, level_code, schemes]
    of_term, first = numbered(keys if apart is None else [*keys, apart[terms.order]])
    level = terms.level.take(first)
    product = np.array([one.product for one in limits], dtype=np.intp)[limit[first]]
    return Recipes(
        of_term=of_term,
        first_term=first,
        limit=limit[first],
        period=period[first],
        claim=terms.claim[first],
        level=level,
        need=_need(case, terms.claim[first], level, product),
        schemes=schemes[first],
        scheme_sets=scheme_sets,
        ids=_ids(case, terms, first),
    )
