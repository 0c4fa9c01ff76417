"""A small valid case that touches every table, and a steel case of projects only; both to be edited."""

from __future__ import annotations

import copy
import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

Row = dict[str, str]

SETTINGS = """\
name = "valid"
rules = "jaa-2026"
currency = "JPY"
fiscal_year_start = 4

[issuer]
name = "Maker"
address = "1 Works Road"
contact = "books@maker.example"

[[assurance]]
subject = "product intensity"
body = "Assurer"
level = "third-party validation"
date = 2026-03-15

[objective]
order = ["firm_shortfall", "margin"]
strategy = "firm-then-margin"
"""

TABLES = {
    "periods": """\
period,start,end
Q1,2026-04-01,2026-06-30
Q2,2026-07-01,2026-09-30
""",
    "sites": """\
site,unit,electricity_tco2e_per_mwh,heat_tco2e_per_gj,organisation,relation,scope_statement
north,U1,0.45,0.06,Maker,own,all of the works
south,U1,0.45,0.06,Maker,own,all of the works
""",
    "lots": """\
lot,kind,category,site,received,used,expires,quantity,uom,intensity_tco2e_per_uom,displaced_tco2e_per_uom,green_share,recycled_pre,recycled_post,scopes,scheme,certificate,evidence,project,origin,unit_cost,gas
L1,material,ingot,north,2026-04-10,2026-04-12,2027-03-31,100,t,4.0,15.1,1,0,0,3,ASI,C-1,E-1,,,40,GHG
L2,material,scrap,south,2026-04-11,2026-04-12,2027-03-31,50.5,t,0.5,,0,0.2,0.7,,ASI,C-2,E-2,,G1,10,GHG
L3,energy,green power,north,2026-04-01,2026-04-01,2027-03-31,200,MWh,0.01,,,,,2,RE,C-3,E-3,,,5,CO2
L4,project,burners,south,2026-04-01,2026-04-01,2027-03-31,30,tCO2e,,,,,,1+2,own,C-4,E-4,BURN,,0,GHG
L5,energy,green heat,north,2026-04-01,2026-04-01,2027-03-31,20,GJ,0,,,,,,RE,C-5,E-5,,,1,GHG
""",
    "alloys": """\
alloy,category,max_share
5052,ingot,1
5052,scrap,0.3
6063,ingot,1
6063,scrap,0.8
""",
    "composition": """\
key,element,wt_pct
ingot,Fe,0.1
scrap,Fe,0.6
L1,Si,0.05
ingot,Si,0.05
scrap,Si,0.2
base,Fe,0.2
base,Si,0.1
base:6063,Fe,0.15
""",
    "alloy_limits": """\
alloy,element,max_wt_pct,min_wt_pct
5052,Fe,0.4,
6063,Fe,0.35,
6063,Si,0.6,0.2
""",
    "products": """\
product,name,alloy,site,s1,s2,s3,metal_tco2e_per_t,t_product_per_t_input,electricity_mwh_per_t,heat_gj_per_t,measured_tco2e_per_t,verified_by,verified_on,source,data_year,gas
SHEET,sheet,5052,north,0.5,0.6,12,15.1,0.9,1.1,2,,Assurer,2026-03-15,plant data,2025,GHG
BAR,bar,6063,south,0.4,0.5,10,15.1,,0.9,,,Assurer,2026-03-15,plant data,2025,GHG
""",
    "production": """\
product,period,mass_t
SHEET,Q1,100
SHEET,Q2,120
BAR,Q1,80
BAR,Q2,80
""",
    "orders": """\
order,customer,product,period,mass_t,claim,level,premium_per_t,priority,firm,whole,min_fill,schemes
O1,cans,SHEET,Q1,60,green_share,0.5,100,1,true,false,0,ASI
O2,cars,SHEET,Q1,40,cfp,9.5,60,1,false,true,0,
O3,frames,BAR,Q2,30,reduction,2,80,2,true,false,0.5,ASI;RE;own
O4,cars,BAR,Q1,20,post_consumer_share,0.25,20,,,,,
""",
    "offers": """\
order,offer,claim,level,premium_per_t
O2,mild,cfp,11,30
O2,half,reduction,1,25
""",
    "projects": """\
project,computation_start,computation_end,name,start,scopes,additional,baseline_method,verified_by,verified_on
BURN,2024-04-01,2025-03-31,burners,2023-10-01,1+2,true,ISO 14064-2,Assurer,2025-06-15
""",
    "customers": """\
customer,name,address,contact
cans,Cans,1 Can Street,a@cans.example
cars,Cars,2 Car Street,b@cars.example
frames,Frames,3 Frame Street,c@frames.example
""",
}


@dataclass
class Files:
    """A case as it is written: settings as TOML text, tables as rows of text, other files as bytes.

    raw: file name -> bytes; it replaces the table of that name. without: tables and files left out.
    """

    settings: str
    tables: dict[str, list[Row]]
    columns: dict[str, list[str]]
    raw: dict[str, bytes] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)

    def copy(self) -> Files:
        return copy.deepcopy(self)

    def csv(self, table: str) -> str:
        """The table as CSV text."""
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, self.columns[table], lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.tables[table])
        return out.getvalue()

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        files = {"case.toml": self.settings.encode()}
        files |= {f"{name}.csv": self.csv(name).encode() for name in self.tables}
        files |= self.raw
        for name, data in files.items():
            if name not in self.without and name.partition(".")[0] not in self.without:
                (folder / name).write_bytes(data)
        return folder


def valid() -> Files:
    """A fresh copy of the valid case (jaa-2026)."""
    tables = {name: list(csv.DictReader(io.StringIO(text))) for name, text in TABLES.items()}
    columns = {name: text.split("\n", 1)[0].split(",") for name, text in TABLES.items()}
    return Files(SETTINGS, tables, columns)


def steel() -> Files:
    """The same for jisf-2.0: the project lot only."""
    files = valid()
    files.settings = files.settings.replace("jaa-2026", "jisf-2.0")
    files.tables["lots"] = [row for row in files.tables["lots"] if row["kind"] == "project"]
    files.tables["orders"] = [row for row in files.tables["orders"] if row["claim"] in ("cfp", "reduction")]
    return files
