"""Handmade runs of every strategy, small enough that each figure and price can be worked out on paper."""

from __future__ import annotations

from collections.abc import Sequence

from handmade import Handmade, Use
from runs import SETTINGS

PERIODS = "period,start,end\nP1,2025-04-01,2025-06-30\nP2,2025-07-01,2025-09-30\n"
ALLOYS = "alloy,category,max_share\n6063,green,0.9\n3003,scrap,0.9\n"
PRODUCTS = (
    "product,name,alloy,site,s1,s2,s3,metal_tco2e_per_t\nX,billet,6063,S1,1,1,8,9\nY,sheet,3003,S1,1,1,8,9\n"
)
PRODUCTION = "product,period,mass_t\nX,P1,1000\nX,P2,1000\nY,P1,1000\n"
LOTS = (
    "lot,kind,category,site,received,expires,quantity,uom,intensity_tco2e_per_uom,displaced_tco2e_per_uom,"
    "green_share\n"
)
GREEN = "G,material,green,S1,2025-04-02,,60,t,,,1\n"
SCRAP = "S,material,scrap,S1,2025-04-02,,10,t,,,1\n"
ORDERS = "order,customer,product,period,mass_t,claim,level,premium_per_t,firm\n"


def tables(lots: str, orders: str) -> dict[str, str]:
    """The tables of a case of these lots and orders."""
    return {
        "periods": PERIODS, "sites": "site,unit\nS1,U1\n", "lots": LOTS + lots, "alloys": ALLOYS,
        "products": PRODUCTS, "production": PRODUCTION, "orders": ORDERS + orders,
        "customers": "customer,segment\nc1,cans\nc2,cars\nc3,cars\n",
    }  # fmt: skip


def green(*uses: tuple[str, str, str]) -> Sequence[Use]:
    """Lots that serve orders with their green share."""
    return [Use(lot, order, quantity, rate="1") for lot, order, quantity in uses]


def said(name: str, own: str, **told: object) -> dict[str, object]:
    """summary.json's entry of a strategy with its default order of goals."""
    entry = {"products": [], "by": None, "weights": {}, "groups": [], **told}
    return {"strategy": {"name": name, "order": ["firm_shortfall", own, "margin"], **entry}}


def group(
    name: str, ordered: float, claimed: float, minimum: float | None = None, stage: int | None = None
) -> dict[str, object]:
    """A customer's service."""
    figures = {"ordered_t": ordered, "claimed_t": claimed, "service": claimed / ordered}
    return {"by": "customer", "group": name, **figures, "minimum": minimum, "stage": stage}


LEXIMIN = Handmade(
    # 10 t of scrap give C half of its 40 t; 60 t of green metal give A and B 120 of their 200 t. First all
    # have at least a half: no more can go to C. Then A and B have 60 % each. A share is priced by all
    # that was ordered, 240 t.
    settings=SETTINGS + '[objective]\nstrategy = "leximin"\n',
    tables=tables(
        GREEN + SCRAP,
        "A,c1,X,P1,100,green_share,0.5,10,\nB,c2,X,P1,100,green_share,0.5,30,\n"
        "C,c3,Y,P1,40,green_share,0.5,5,\n",
    ),
    uses=green(("G", "A", "30"), ("G", "B", "30"), ("S", "C", "10")),
    claimed={"A": "60", "B": "60", "C": "20"},
    goals=[("fair_share", 1, "0.5"), ("fair_share", 2, "0.6"), ("margin", None, "2500")],
    pools={"G": "G", "S": "S"},
    recipes={"A": "A", "B": "A", "C": "C"},
    stages={"c1": 2, "c2": 2, "c3": 1},
    duals=[
        "fair_share:1,fair_share,c3,,6",
        "fair_share:1,claim,C,,12",
        "fair_share:1,pool_balance,S,P1,12",
        "fair_share:2,fair_share,c1,,1.2",
        "fair_share:2,fair_share,c2,,1.2",
        "fair_share:2,claim,A,,2.4",
        "fair_share:2,pool_balance,G,P1,2.4",
        # a t for B, at 30, needs half a t of metal; A would give way to it, but keeps what is fair
        "margin,pool_balance,G,P1,60",
        "margin,claim,A,,60",
        "margin,fair_share,c1,,20",
        "margin,pool_balance,S,P1,10",
        "margin,claim,C,,10",
    ],
    summary=said(
        "leximin", "fair_share", by="customer",
        groups=[group("c1", 100, 60, stage=2), group("c2", 100, 60, stage=2), group("c3", 40, 20, stage=1)],
    ),
)  # fmt: skip

SPREAD = Handmade(
    # The firm F takes 20 of the 120 t that the metal covers; A and B share 100 t: 100 / 177 of each. That
    # is no whole number of grams: both are rounded down. H asks for more green metal than its alloy may
    # hold, so it has no part in this; prices are per 187 t.
    settings=SETTINGS + '[objective]\nstrategy = "spread"\n',
    tables=tables(
        GREEN,
        "A,c1,X,P1,100,green_share,0.5,10,\nB,c2,X,P1,77,green_share,0.5,30,\n"
        "F,c3,X,P1,20,green_share,0.5,5,true\nH,c1,X,P1,10,green_share,0.95,50,\n",
    ),
    uses=green(("G", "A", "28.248588"), ("G", "B", "21.751412"), ("G", "F", "10")),
    claimed={"A": "56.497175", "B": "43.502824", "F": "20"},
    goals=[
        ("firm_shortfall_t", 1, "0"), ("common_share", None, "0.56497175"), ("margin", None, "1970.05647"),
    ],
    pools={"G": "G"},
    recipes={"A": "A", "B": "A", "F": "A", "H": "H"},
    reach=["claim,H,,1", "category_cap,H,green,1"],
    duals=[
        "common_share,common_share,A,,1.056497175141",
        "common_share,common_share,B,,1.056497175141",
        "common_share,claim,A,,2.112994350282",
        "common_share,pool_balance,G,P1,2.112994350282",
        "common_share,goal_hold,firm_shortfall:1,,1.056497175141",
        # a t costs the mean of 10 and 30 by mass: B would pay more, A less, but both get their part
        "margin,common_share,A,,8.7005649718",
        "margin,no_more,B,,11.2994350282",
        "margin,claim,A,,37.4011299435",
        "margin,claim,H,,337",
        "margin,category_cap,H,green,300",
        "margin,pool_balance,G,P1,37.4011299435",
        "margin,goal_hold,firm_shortfall:1,,13.7005649718",
    ],
    summary=said("spread", "common_share"),
)  # fmt: skip

CONCENTRATE = Handmade(
    # All that Y can take; X stays conventional though its metal is there and it would pay.
    settings=SETTINGS + '[objective]\nstrategy = "concentrate"\nproducts = ["Y"]\n',
    tables=tables(
        GREEN + SCRAP.replace(",10,", ",100,"),
        "A,c1,X,P1,100,green_share,0.5,10,\nB,c2,Y,P1,100,green_share,0.5,30,\n",
    ),
    uses=green(("S", "B", "50")),
    claimed={"B": "100"},
    goals=[("chosen_t", None, "100", "Y"), ("margin", None, "3000")],
    pools={"G": "G", "S": "S"},
    recipes={"A": "A", "B": "B"},
    summary=said("concentrate", "chosen", products=["Y"]),
)

TONNAGE = Handmade(
    # A t for A needs 0.5 t of metal, one for B 0.8 t: 120 t for A alone, but c2 must have 30 t, worth 48 t
    # of A.
    settings=SETTINGS
    + '[objective]\nstrategy = "tonnage"\n'
    + '[[objective.minimum_service]]\nby = "customer"\ngroup = "c2"\nshare = 0.3\n',
    tables=tables(GREEN, "A,c1,X,P1,100,green_share,0.5,10,\nB,c2,X,P1,100,green_share,0.8,90,\n"),
    uses=green(("G", "A", "36"), ("G", "B", "24")),
    claimed={"A": "72", "B": "30"},
    goals=[("tonnage_t", None, "102"), ("margin", None, "3420")],
    pools={"G": "G"},
    recipes={"A": "A", "B": "B"},
    duals=[
        "tonnage,pool_balance,G,P1,2",
        "tonnage,claim,A,,2",
        "tonnage,claim,B,,2",
        "tonnage,minimum_service,customer,c2,0.6",
        "margin,pool_balance,G,P1,300",
        "margin,claim,A,,300",
        "margin,claim,B,,300",
        "margin,goal_hold,tonnage,,140",
        "margin,minimum_service,customer,c2,10",
    ],
    summary=said("tonnage", "tonnage", groups=[group("c1", 100, 72), group("c2", 100, 30, 0.3)]),
)

EXPIRING = (
    "E,material,green,S1,2025-04-02,2025-06-30,200,t,4,9,1\nZ,material,green,S1,2025-04-02,,100,t,4,9,1\n"
)
EXPIRY = Handmade(
    # E expires with P1, where only F can take it: 0.9 t of it per t. Z, alike in all else, does not expire.
    settings=SETTINGS + '[objective]\nstrategy = "least-expiry"\n',
    tables=tables(EXPIRING, "F,c1,X,P1,120,green_share,0.5,5,true\nN,c2,X,P2,20,green_share,0.5,7,\n"),
    uses=[Use("E", "F", "108", rate="1", unit="5"), Use("Z", "N", "10", rate="1", unit="5")],
    claimed={"F": "120", "N": "20"},
    goals=[("firm_shortfall_t", 1, "0"), ("expired_tco2e", None, "460"), ("margin", None, "740")],
    pools={"E": "E", "Z": "E"},
    recipes={"F": "F", "N": "N"},
    duals=["expiry,category_cap,F,green,5", "expiry,pool_balance,E,P2,5"],
    summary=said("least-expiry", "expiry"),
)

WEIGHTED = Handmade(
    # Half of a margin of 740, 2 for each of 140 t, less 3 for each of 460 t CO2e.
    settings=SETTINGS
    + '[objective]\nstrategy = "weighted"\n'
    + "[objective.weights]\nmargin = 0.5\ntonnage_t = 2\nexpired_tco2e = 3\n",
    tables=EXPIRY.tables,
    uses=EXPIRY.uses,
    claimed=EXPIRY.claimed,
    goals=[("firm_shortfall_t", 1, "0"), ("weighted", None, "-730"), ("margin", None, "740")],
    pools=EXPIRY.pools,
    recipes=EXPIRY.recipes,
    duals=["weighted,category_cap,F,green,15", "weighted,pool_balance,E,P2,15"],
    summary=said("weighted", "weighted", weights={"margin": 0.5, "tonnage_t": 2, "expired_tco2e": 3}),
)

STRATEGY_RUNS = {
    "leximin": LEXIMIN, "spread": SPREAD, "concentrate": CONCENTRATE, "tonnage": TONNAGE,
    "least-expiry": EXPIRY, "weighted": WEIGHTED,
}  # fmt: skip
