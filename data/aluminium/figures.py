"""The figures behind the example case `data/aluminium`, each with the source it rests on.

Tags: [S1] to [S16] are the sources listed in `data/README.md`; [E1] to [E12] are our own estimates, listed
with their reason in `data/aluminium/README.md`. Every company, person, address and certificate number here is
invented.
"""

from __future__ import annotations

from typing import NamedTuple

# --- conventional metal and energy -----------------------------------------------------------
PRIMARY_IMPORT = 10.8  # t CO2 per t, mean of the primary metal that Japan imports [S1]
REMELT = 0.3  # t CO2 per t, recycled ingot, cut-off [S1]
ELECTRICITY = 0.421  # t CO2 per MWh, Japan, FY2023 [S5]
CITY_GAS = 0.0513  # t CO2 per GJ: 0.0140 t C per GJ x 44/12 = 0.05133, rounded down [S6]
OTHER_S3 = 0.35  # t CO2e per t: alloying metals, auxiliaries, fuel supply, inbound transport [E1]

PERIODS = (
    ("2026-04", "2026-04-01", "2026-04-30"),
    ("2026-05", "2026-05-01", "2026-05-31"),
    ("2026-06", "2026-06-01", "2026-06-30"),
    ("2026-07", "2026-07-01", "2026-07-31"),
    ("2026-08", "2026-08-01", "2026-08-31"),
    ("2026-09", "2026-09-01", "2026-09-30"),
)  # fmt: skip

# --- alloys: element -> (minimum or None, maximum), wt % [S9] 3104, 5182; [S10] 1050; [S11] the others
ALLOY_LIMITS: dict[str, dict[str, tuple[float | None, float]]] = {
    "1050": {"Si": (None, 0.25), "Fe": (None, 0.40), "Cu": (None, 0.05), "Mn": (None, 0.05),
             "Mg": (None, 0.05), "Zn": (None, 0.05), "Ti": (None, 0.03)},
    "3003": {"Si": (None, 0.6), "Fe": (None, 0.7), "Cu": (0.05, 0.20), "Mn": (1.0, 1.5), "Zn": (None, 0.10)},
    "3104": {"Si": (None, 0.6), "Fe": (None, 0.8), "Cu": (0.05, 0.25), "Mn": (0.8, 1.4), "Mg": (0.8, 1.3),
             "Zn": (None, 0.25), "Ti": (None, 0.10)},
    "5052": {"Si": (None, 0.25), "Fe": (None, 0.40), "Cu": (None, 0.10), "Mn": (None, 0.10),
             "Mg": (2.2, 2.8), "Zn": (None, 0.10), "Cr": (0.15, 0.35)},
    "5083": {"Si": (None, 0.40), "Fe": (None, 0.40), "Cu": (None, 0.10), "Mn": (0.40, 1.0),
             "Mg": (4.0, 4.9), "Zn": (None, 0.25), "Cr": (0.05, 0.25), "Ti": (None, 0.15)},
    "5182": {"Si": (None, 0.20), "Fe": (None, 0.35), "Cu": (None, 0.15), "Mn": (0.20, 0.50),
             "Mg": (4.0, 5.0), "Zn": (None, 0.25), "Cr": (None, 0.10), "Ti": (None, 0.10)},
    "6061": {"Si": (0.40, 0.8), "Fe": (None, 0.7), "Cu": (0.15, 0.40), "Mn": (None, 0.15),
             "Mg": (0.8, 1.2), "Zn": (None, 0.25), "Cr": (0.04, 0.35), "Ti": (None, 0.15)},
    "6063": {"Si": (0.20, 0.6), "Fe": (None, 0.35), "Cu": (None, 0.10), "Mn": (None, 0.10),
             "Mg": (0.45, 0.9), "Zn": (None, 0.10), "Cr": (None, 0.10), "Ti": (None, 0.10)},
}  # fmt: skip

ELEMENTS = ("Si", "Fe", "Cu", "Mn", "Mg", "Zn", "Cr", "Ti")

# --- composition, wt %, in the order of ELEMENTS ------------------------------------------------
COMPOSITION = {
    "primary_hydro": (0.10, 0.20, 0, 0, 0, 0.03, 0, 0),  # P1020A, upper limits [S12]
    "primary_solar": (0.10, 0.20, 0, 0, 0, 0.03, 0, 0),  # the same grade [S12]
    "scrap_ubc": (0.21, 0.47, 0.25, 1.10, 1.50, 0.10, 0.03, 0.02),  # used cans, upper limits [S13]
    "scrap_can_new": (0.21, 0.52, 0.25, 1.20, 1.50, 0.10, 0.03, 0.02),  # can body skeletons [S13]
    "scrap_end_new": (0.17, 0.35, 0.10, 0.40, 5.10, 0.10, 0.05, 0.05),  # can end skeletons [S13]
    "scrap_sheet_old": (0.60, 0.70, 0.30, 2.00, 2.40, 0.35, 0.20, 0.05),  # remelted old sheet [S14]
    "scrap_foil_new": (0.25, 0.40, 0.05, 0.05, 0.05, 0.05, 0, 0.03),  # 1050's own limits [E2]
    "scrap_profile_new": (0.60, 0.35, 0.10, 0.10, 0.90, 0.10, 0.10, 0.10),  # 6063's own limits [E2]
    "scrap_profile_old": (0.60, 0.50, 0.10, 0.10, 0.70, 0.15, 0.05, 0.05),  # fixings, mixed alloys [E3]
    "billet_recycled": (0.55, 0.30, 0.08, 0.08, 0.60, 0.09, 0.05, 0.05),  # 75 % post-consumer 6063 [E3]
    # The metal that fills the rest, before alloying (alloying elements are added to it, so 0) [E4]
    "base": (0.10, 0.20, 0, 0, 0, 0.03, 0, 0),  # P1020A [S12]
    "base:1050": (0.12, 0.28, 0.01, 0.01, 0.01, 0.03, 0, 0.01),  # with process scrap of its own [E4]
    "base:3104": (0.20, 0.38, 0.10, 0.50, 0.40, 0.05, 0.02, 0.02),  # with conventional UBC [E4]
    "base:6063": (0.20, 0.20, 0.02, 0.02, 0.20, 0.03, 0.01, 0.02),  # with process scrap of its own [E4]
}
LOW_IRON = (("Si", 0.06), ("Fe", 0.10))  # high-purity primary metal, by lot [E3]

# --- what an alloy may be made of: largest share of the product's mass (the rest is alloying) [E5]
FEASIBLE = {
    "1050": {"primary_hydro": 1, "primary_solar": 1, "scrap_foil_new": 0.40},
    "3003": {"primary_hydro": 0.985, "primary_solar": 0.985, "scrap_ubc": 0.25, "scrap_sheet_old": 0.30,
             "scrap_can_new": 0.35, "scrap_foil_new": 0.50},
    "3104": {"primary_hydro": 0.975, "primary_solar": 0.975, "scrap_ubc": 0.70, "scrap_can_new": 0.60,
             "scrap_sheet_old": 0.15, "scrap_end_new": 0.10},
    "5052": {"primary_hydro": 0.97, "primary_solar": 0.97, "scrap_end_new": 0.30, "scrap_ubc": 0.05},
    "5083": {"primary_hydro": 0.95, "primary_solar": 0.95, "scrap_end_new": 0.50},
    "5182": {"primary_hydro": 0.95, "primary_solar": 0.95, "scrap_end_new": 0.70, "scrap_ubc": 0.10},
    "6061": {"primary_hydro": 0.98, "primary_solar": 0.98, "scrap_profile_new": 0.40,
             "scrap_profile_old": 0.30, "billet_recycled": 0.50},
    "6063": {"primary_hydro": 0.99, "primary_solar": 0.99, "scrap_profile_new": 0.70,
             "scrap_profile_old": 0.75, "billet_recycled": 0.90},
}  # fmt: skip

# --- claims: levels asked of each alloy, price list [S16], [E8] -----------------------------------
GREEN_LEVELS = (0.3, 0.5, 0.9)
RECYCLED_LEVELS: dict[str, tuple[float, ...]] = {
    "1050": (0.2, 0.4), "3003": (0.2, 0.3, 0.5), "3104": (0.5, 0.7, 0.85), "5052": (0.15, 0.25),
    "5083": (0.3, 0.5), "5182": (0.3, 0.5, 0.7), "6061": (0.3, 0.5), "6063": (0.5, 0.7, 0.9),
}  # fmt: skip
POST_LEVELS: dict[str, tuple[float, ...]] = {
    "3003": (0.15, 0.25, 0.35), "3104": (0.5, 0.7, 0.8), "6061": (0.2, 0.3), "6063": (0.3, 0.5, 0.6),
}  # fmt: skip
REDUCTION_LEVELS = (0.5, 1, 2, 3)  # t CO2e per t
CO2_ONLY_LEVELS = (0.2, 0.4, 0.6)  # t CO2 per t, products whose intensity is CO2 only
CFP_PARTS = (0.85, 0.7, 0.55)  # of the product's own baseline
USD_PER_TCO2E = 3.7  # 25 USD per t of metal [S16] at 4.0 instead of 10.8 [S1]
USD_PER_SHARE = {"green_share": 25.0, "recycled_share": 18.0, "post_consumer_share": 36.0}  # at 100 %
CLAIMS: dict[str, dict[str, float]] = {  # how often each is asked for, in % of a sector's orders [E7]
    "can": {"cfp": 25, "reduction": 15, "green_share": 10, "recycled_share": 25, "post_consumer_share": 25},
    "foil": {"cfp": 40, "reduction": 20, "green_share": 30, "recycled_share": 10},
    "building": {"cfp": 25, "reduction": 20, "green_share": 10, "recycled_share": 25,
                 "post_consumer_share": 20},
    "auto": {"cfp": 35, "reduction": 25, "green_share": 15, "recycled_share": 15, "post_consumer_share": 10},
    "general": {"cfp": 35, "reduction": 25, "green_share": 25, "recycled_share": 15},
}  # fmt: skip


def table(text: str) -> list[list[str]]:
    """The cells of a text table: a line each, `|` between."""
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


class Site(NamedTuple):
    """A site and its accounting unit (A4.2.2); the subsidiary's managed scope is stated (A5.1.2A)."""

    site: str
    unit: str
    relation: str
    scope_statement: str


SITES = [
    Site(*cells)
    for cells in table("""
TOKIWA   | rolling   | own works             | casthouse, hot and cold rolling mill
MIZUHO   | rolling   | own works             | foil and fin mill: takes coil from TOKIWA, gives it scrap
KAZEHAYA | extrusion | controlled subsidiary | casthouse and presses: planned, procured and shipped by us
""")
]


class Product(NamedTuple):
    """A product and its conventional process.

    elec: MWh per t, heat: GJ per t [E1]; rate: t of product per t of input, process scrap being remelted in
    house [E6]; recycled: share of recycled ingot in the conventional charge: 0.10, the mean of wrought
    products [S3]; 0.58 for can stock, 182,897 t of used cans back into cans of 314,645 t [S4]; others [E1];
    plan: t a month [E7]; below: what the measured intensity is below the baseline, t CO2e per t, 0 where
    none was measured [E10].
    """

    product: str
    name: str
    alloy: str
    site: str
    elec: float
    heat: float
    rate: float
    recycled: float
    plan: float
    sector: str
    gas: str
    below: float


PRODUCTS = [
    Product(*c[:4], *(float(v) for v in c[4:9]), *c[9:11], float(c[11]))  # type: ignore[arg-type,call-arg]
    for c in table("""
CB-3104 | can body stock          | 3104 | TOKIWA   | 0.85 |  8.0 | 0.97  | 0.58 | 3000 | can      | GHG | 0.6
CE-5182 | can end stock, coated   | 5182 | TOKIWA   | 1.05 |  9.5 | 0.965 | 0.10 |  900 | can      | GHG | 0.7
CT-5182 | can tab stock           | 5182 | TOKIWA   | 0.95 |  9.0 | 0.965 | 0.10 |  250 | can      | GHG | 0.7
SH-1050 | sheet, general          | 1050 | TOKIWA   | 0.90 |  8.5 | 0.97  | 0.10 |  500 | general  | GHG | 0.8
SH-3003 | sheet, general          | 3003 | TOKIWA   | 0.92 |  8.5 | 0.97  | 0.20 |  450 | general  | GHG | 0.8
BZ-3003 | brazing sheet core      | 3003 | TOKIWA   | 1.10 |  9.8 | 0.96  | 0.10 |  600 | auto     | GHG | 0.7
SH-5052 | sheet, marine and panel | 5052 | TOKIWA   | 0.95 |  8.8 | 0.97  | 0.10 |  700 | general  | GHG | 0.8
PC-5052 | painted coil            | 5052 | TOKIWA   | 1.20 | 11.5 | 0.965 | 0.10 |  300 | building | GHG | 0.6
PL-5052 | plate, machined         | 5052 | TOKIWA   | 0.90 |  7.5 | 0.97  | 0.10 |  250 | general  | CO2 | 0
PL-5083 | plate, ship and tank    | 5083 | TOKIWA   | 0.90 |  7.8 | 0.965 | 0.10 |  600 | general  | GHG | 0.9
PL-6061 | plate, chamber          | 6061 | TOKIWA   | 1.00 |  8.2 | 0.965 | 0.10 |  250 | general  | GHG | 0.9
FO-1050 | household foil          | 1050 | MIZUHO   | 1.80 | 13.5 | 0.96  | 0    |  350 | foil     | GHG | 0.5
BF-1050 | battery foil            | 1050 | MIZUHO   | 2.10 | 14.5 | 0.955 | 0    |  450 | foil     | GHG | 0.5
FI-3003 | fin stock               | 3003 | MIZUHO   | 1.30 | 11.0 | 0.965 | 0.10 |  500 | auto     | GHG | 0.6
LI-1050 | lithographic sheet      | 1050 | MIZUHO   | 1.25 | 10.5 | 0.965 | 0    |  200 | foil     | GHG | 0
PR-6063 | profiles, building      | 6063 | KAZEHAYA | 1.10 |  7.0 | 0.975 | 0.30 |  900 | building | GHG | 0.8
PA-6063 | profiles, anodised      | 6063 | KAZEHAYA | 1.85 |  9.0 | 0.97  | 0.30 |  450 | building | GHG | 0.8
EX-6061 | profiles, vehicle       | 6061 | KAZEHAYA | 1.20 |  7.6 | 0.97  | 0.10 |  500 | auto     | GHG | 0.7
BR-6061 | bar, forging stock      | 6061 | KAZEHAYA | 1.00 |  6.5 | 0.97  | 0.10 |  200 | auto     | CO2 | 0
BI-6063 | billet, homogenised     | 6063 | KAZEHAYA | 0.25 |  4.2 | 0.985 | 0.40 |  800 | building | GHG | 1
""")
]


class Family(NamedTuple):
    """Lots alike; receipts spread from February to August, quantities between low and high [E7].

    intensity: t CO2e per unit, drawn within `drift` of it (below 0: only lowered);
    valid: months until expiry, the month of receipt included [E12]; schemes in turn; shares of green,
    pre-consumer and post-consumer metal; cost: USD per unit, due when used (0: sunk).
    """

    prefix: str
    lots: int
    category: str
    site: str
    uom: str
    low: float
    high: float
    intensity: float
    drift: float
    valid: int
    schemes: tuple[str, ...]
    green: float
    pre: float
    post: float
    cost: float


# Hydro primary: about 4 [S1], brands below 4 [S15]; solar primary [E3]. Scrap, post-consumer: 0.5 [S2].
# Billet of at least 75 % post-consumer: at most 2.3 [S15]. Pre-consumer scrap carries the footprint of the
# primary metal it was made of [S2], [S1]: it reduces nothing and serves share claims only (the conservative
# choice, A5.1.2B). Renewable power with tracked certificates: 0 [E9]; certificates bought when used: 0.4 JPY
# per kWh [S8] at 150 JPY per USD [E9]. Biomethane: 0.0395 kg per kWh [S7], so 0.011 t per GJ.
FAMILIES = [
    Family(
        c[0], int(c[1]), c[2], c[3], c[4], float(c[5]), float(c[6]), float(c[7]), float(c[8]),
        int(c[9]), tuple(c[10].split()), *(float(v) for v in c[11].split()),
    )
    for c in table("""
HY-R  | 12 | primary_hydro | TOKIWA | t   |  110 |  300 | 3.9   |  0.3 |  4 | asi_coc epd asi_coc | 1 0 0 0
HY-E  |  5 | primary_hydro     | KAZEHAYA | t   |   40 |  110 | 3.9   |  0.3 |  4 | epd asi_coc | 1 0 0 0
SO-R  |  4 | primary_solar     | TOKIWA   | t   |   60 |  140 | 5.2   |  0.4 |  5 | epd         | 1 0 0 0
SO-E  |  2 | primary_solar     | KAZEHAYA | t   |   50 |  100 | 5.2   |  0.4 |  5 | epd         | 1 0 0 0
UBC-R |  8 | scrap_ubc         | TOKIWA   | t   |   90 |  240 | 0.5   |    0 |  3 | asi_coc rcs | 0 0 1 0
OSH-R |  2 | scrap_sheet_old   | TOKIWA   | t   |   60 |  120 | 0.5   |    0 |  4 | rcs         | 0 0.1 0.9 0
POL-E |  4 | scrap_profile_old | KAZEHAYA | t   |   70 |  150 | 0.5   |    0 |  3 | rcs asi_coc | 0 0 1 0
PCR-E |  3 | billet_recycled   | KAZEHAYA | t   |   30 |   70 | 2.3   | -0.3 |  6 | epd         | 0 0.2 0.75 0
CAN-R |  3 | scrap_can_new     | TOKIWA   | t   |   80 |  180 | 10.8  |    0 |  4 | asi_coc     | 0 1 0 0
END-R |  3 | scrap_end_new     | TOKIWA   | t   |   50 |  130 | 10.8  |    0 |  4 | rcs asi_coc | 0 1 0 0
FOI-R |  2 | scrap_foil_new    | MIZUHO   | t   |   40 |   90 | 10.8  |    0 |  6 | rcs         | 0 1 0 0
PNW-E |  3 | scrap_profile_new | KAZEHAYA | t   |   60 |  150 | 10.8  |    0 |  6 | rcs         | 0 1 0 0
PWR-R |  6 | green_power       | TOKIWA   | MWh |  500 | 1300 | 0     |    0 |  6 | nfc_tracked | 0 0 0 0
PWR-E |  3 | green_power       | KAZEHAYA | MWh |  300 |  800 | 0     |    0 |  6 | nfc_tracked | 0 0 0 0
PWR-M |  2 | green_power       | TOKIWA   | MWh |  600 |  900 | 0     |    0 | 12 | nfc_tracked | 0 0 0 2.7
GAS-R |  3 | green_gas         | TOKIWA   | GJ  | 4000 | 8000 | 0.011 |    0 |  6 | gas_cert    | 0 0 0 0
GAS-E |  2 | green_gas         | KAZEHAYA | GJ  | 2500 | 5000 | 0.011 |    0 |  6 | gas_cert    | 0 0 0 0
""")
]  # fmt: skip


class Improvement(NamedTuple):
    """An improvement project; monthly: its effect, t CO2e [E11]."""

    project: str
    site: str
    start: str
    scopes: str
    monthly: float
    gas: str
    name: str
    baseline: str


PROJECTS = [
    Improvement(c[0], c[1], c[2], c[3], float(c[4]), c[5], c[6], f"{c[7]}: {c[8]}")
    for c in table("""
FURNACE  | TOKIWA   | 2023-10-01 | 1   | 150 | CO2 | melting furnace renewed   | ISO 14064-2 | mean of 3 years
FUEL     | MIZUHO   | 2024-04-01 | 1   |  70 | CO2 | oil to a biomethane blend | ISO 14064-2 | mean of 2 years
HEATPUMP | KAZEHAYA | 2025-01-01 | 1+2 |  60 | GHG | heat pump for anodising   | ISO 14064-1 | FY2023
DRIVES   | TOKIWA   | 2022-04-01 | 2   | 110 | CO2 | mill drives renewed       | ISO 14064-1 | FY2021
""")
]

CUSTOMERS = {
    sector: names.split(" / ")
    for sector, names in {
        "can": "Northquay Beverage Cans / Larkholm Canmakers / 玉織製罐株式会社 / Brinewater Packaging"
        " / Osprey Lid and Tab / Whimbrel Drinks Containers / 湊霧飲料容器株式会社 / Silvermarsh Cans"
        " / Fennmoor Packaging / Coldbrook Closures",
        "foil": "青潟蓄電池株式会社 / Lumenfold Cells / Harrowgate Foils / Papyrine Print Plates"
        " / Ember Lane Kitchenware / Voltwick Energy Storage / Ashgrove Household / Blueferry Converters",
        "building": "霧ヶ浜建材株式会社 / Stonewren Windows / Alderpoint Facades / Meadowcross Curtain Walls"
        " / ㈱髙﨑星影窓枠 / Thornbury Lane Doors / Quillhaven Systems / Rookery Profiles"
        " / Westerdene Solar Frames / Pinnock Roofing / Ravelin Shopfitting / Dunmallow Balustrades"
        " / Ivelstone Cladding / Sedgeway Extrusions",
        "auto": "白嶺車体工業株式会社 / Tarrowdale Motors / 瑞雲冷熱株式会社 / Calloway Thermal"
        " / Wexley Bumper Systems / Osterfield Heat Exchangers / Brackenridge Chassis / Junivale Mobility"
        " / Hollin Axle / Merrowby Rail Cars / Coppice Battery Trays / Langmere Forgings",
        "general": "Seldon Reach Shipyards / Inverlea Tanks / 星杜精機株式会社 / Marlowe Chamber Works"
        " / Gannetry Marine / Ottershaw Panels / Pellworth Instruments / Rowanfern Stampings"
        " / Tidewell Cryogenics / Umberley Lighting / Vantry Signs / Whinfell Coolers / Yarrowby Trailers"
        " / Zephyrine Fans / Elmsett Nameplates / Corriedale Tools",
    }.items()
}

# --- case.toml -------------------------------------------------------------------------------------
SETTINGS = """\
# Example case, invented: figures and sources in README.md, tables written by make.py.
name = "Hoshikage Aluminium, first half of fiscal 2026"
rules = "jaa-2026"
currency = "USD"
fiscal_year_start = 4

[issuer]
name = "Hoshikage Aluminium (invented)"
address = "1 Example Street, Tokiwa"
contact = "massbalance@example.com"

[[assurance]]
subject = "intensity of products"
body = "Tessera Assurance (invented)"
level = "limited assurance"
date = 2025-09-30

[[assurance]]
subject = "effects of projects"
body = "Tessera Assurance (invented)"
level = "limited assurance"
date = 2026-07-31

[[assurance]]
subject = "management and allocation"
body = "Tessera Assurance (invented)"
level = "validation"
date = 2026-03-20

[objective]
order = ["firm_shortfall", "margin"]
strategy = "firm-then-margin"
"""
