"""The corpus: name, edit of a valid case, and where its one fault must be named."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from tests.intake_corpus.valid import Files, Row, steel, valid

Edit = Callable[[Files], None]


@dataclass(frozen=True)
class Malformed:
    """row: as in the file, None for a whole table; column: '' for a whole row; code: the fault's code;
    says: words its message must hold; base: the valid case that is edited.
    """

    name: str
    edit: Edit
    table: str
    row: int | None
    column: str
    code: str
    says: str = ""
    base: Callable[[], Files] = valid


CASES: list[Malformed] = []


def add(
    name: str,
    edit: Edit,
    table: str,
    row: int | None,
    column: str,
    code: str,
    says: str = "",
    base: Callable[[], Files] = valid,
) -> None:
    CASES.append(Malformed(name, edit, table, row, column, code, says, base))


# ---- edits -------------------------------------------------------------------------------------


def cell(table: str, row: int, column: str, value: str) -> Edit:
    """Set one cell; row as in the file (the first data row is 2)."""

    def edit(files: Files) -> None:
        files.tables[table][row - 2][column] = value

    return edit


def cells(table: str, row: int, **values: str) -> Edit:
    """Set some cells of one row."""

    def edit(files: Files) -> None:
        files.tables[table][row - 2].update(values)

    return edit


def again(table: str, row: int, **values: str) -> Edit:
    """Add a copy of a row at the end, with other values."""

    def edit(files: Files) -> None:
        files.tables[table].append({**files.tables[table][row - 2], **values})

    return edit


def rows(table: str, *found: Row) -> Edit:
    """Replace all rows."""

    def edit(files: Files) -> None:
        files.tables[table] = [dict.fromkeys(files.columns[table], "") | row for row in found]

    return edit


def text(table: str, old: str, new: str) -> Edit:
    """Replace once in the CSV text."""

    def edit(files: Files) -> None:
        before = files.csv(table)
        assert old in before
        files.raw[f"{table}.csv"] = before.replace(old, new, 1).encode()

    return edit


def file(name: str, data: bytes) -> Edit:
    """Write a file as it is, in place of the table of its name."""

    def edit(files: Files) -> None:
        files.raw[name] = data
        stem = name.rsplit(".", 1)[0]
        if name != f"{stem}.csv" and stem in files.tables:
            files.without.add(f"{stem}.csv")

    return edit


def also(name: str, data: bytes) -> Edit:
    """Write one file more."""

    def edit(files: Files) -> None:
        files.raw[name] = data

    return edit


def without(name: str) -> Edit:
    def edit(files: Files) -> None:
        files.without.add(name)

    return edit


def no_column(table: str, column: str) -> Edit:
    def edit(files: Files) -> None:
        files.columns[table].remove(column)
        for row in files.tables[table]:
            del row[column]

    return edit


def setting(old: str, new: str) -> Edit:
    """Replace once in case.toml."""

    def edit(files: Files) -> None:
        assert old in files.settings
        files.settings = files.settings.replace(old, new, 1)

    return edit


def both(*edits: Edit) -> Edit:
    def edit(files: Files) -> None:
        for one in edits:
            one(files)

    return edit


def parquet(**columns: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


# ---- numbers -----------------------------------------------------------------------------------

for i, junk in enumerate(
    ("nan", "NaN", "inf", "-inf", "1_000", "1,000", "1e", "0x10", "12 t", "--1", "½", "10²", "1.2.3", ".5", "5.", "#N/A")
):
    add(f"number_{i}", cell("orders", 3, "mass_t", junk), "orders", 3, "mass_t", "not_a_number", "1234.5")
add("number_in_optional", cell("lots", 2, "green_share", "yes"), "lots", 2, "green_share", "not_a_number")
add("quantity_negative", cell("lots", 2, "quantity", "-1"), "lots", 2, "quantity", "out_of_range", "0")
add("quantity_huge", cell("lots", 2, "quantity", "1000000000.000001"), "lots", 2, "quantity", "out_of_range")
add("quantity_astronomic", cell("lots", 2, "quantity", "1e999"), "lots", 2, "quantity", "out_of_range")
add("quantity_long", cell("lots", 2, "quantity", "9" * 5000), "lots", 2, "quantity", "out_of_range")
add("too_fine", cell("lots", 2, "unit_cost", "1e-99"), "lots", 2, "unit_cost", "out_of_range", "decimals")
add("mass_negative", cell("orders", 2, "mass_t", "-0.000001"), "orders", 2, "mass_t", "out_of_range")
add("production_huge", cell("production", 2, "mass_t", "2e9"), "production", 2, "mass_t", "out_of_range")
add("share_above_1", cell("lots", 3, "green_share", "1.0000001"), "lots", 3, "green_share", "out_of_range")
add("share_negative", cell("lots", 3, "recycled_pre", "-0.1"), "lots", 3, "recycled_pre", "out_of_range")
add("shares_above_1_together", cell("lots", 3, "recycled_pre", "0.4"), "lots", 3, "recycled_post", "out_of_range", "together")
add("max_share_above_1", cell("alloys", 4, "max_share", "100"), "alloys", 4, "max_share", "out_of_range")
add("share_level_above_1", cell("orders", 2, "level", "50"), "orders", 2, "level", "out_of_range", "share")
add("offer_level_above_1", cells("offers", 2, claim="green_share"), "offers", 2, "level", "out_of_range", "share")
add("level_negative", cell("orders", 3, "level", "-1"), "orders", 3, "level", "out_of_range")
add("min_fill_above_1", cell("orders", 4, "min_fill", "1.5"), "orders", 4, "min_fill", "out_of_range")
add("priority_zero", cell("orders", 2, "priority", "0"), "orders", 2, "priority", "out_of_range")
add("priority_fraction", cell("orders", 2, "priority", "1.5"), "orders", 2, "priority", "not_whole")
add("yield_zero", cell("products", 2, "t_product_per_t_input", "0"), "products", 2, "t_product_per_t_input", "out_of_range", "above 0")
add("yield_above_1", cell("products", 2, "t_product_per_t_input", "1.01"), "products", 2, "t_product_per_t_input", "out_of_range")
add("intensity_negative", cell("lots", 2, "intensity_tco2e_per_uom", "-4"), "lots", 2, "intensity_tco2e_per_uom", "out_of_range")
add("scope_huge", cell("products", 2, "s3", "1e7"), "products", 2, "s3", "out_of_range")
add("premium_huge", cell("orders", 2, "premium_per_t", "1e10"), "orders", 2, "premium_per_t", "out_of_range")
add("wt_pct_above_100", cell("composition", 3, "wt_pct", "100.1"), "composition", 3, "wt_pct", "out_of_range")
add("limits_upside_down", cell("alloy_limits", 4, "min_wt_pct", "0.7"), "alloy_limits", 4, "min_wt_pct", "limits_in_order")
add("data_year_text", cell("products", 2, "data_year", "FY25"), "products", 2, "data_year", "not_a_number")

# ---- dates, flags, words -----------------------------------------------------------------------

for i, junk in enumerate(
    ("2026-02-30", "2026-13-01", "2026/04/10", "10.04.2026", "20260410", "2026-4-1", "46113", "2026-04-10T00:00", "0206-04-10")
):
    add(f"date_{i}", cell("lots", 2, "received", junk), "lots", 2, "received", "not_a_date", "YYYY-MM-DD")
add("date_optional", cell("products", 2, "verified_on", "soon"), "products", 2, "verified_on", "not_a_date")
for i, junk in enumerate(("yes", "1", "0", "tRUE", "on", "いいえ")):
    add(f"flag_{i}", cell("orders", 3, "firm", junk), "orders", 3, "firm", "not_a_flag", "`true`")
add("kind_unknown", cell("lots", 2, "kind", "Material"), "lots", 2, "kind", "unknown_word", "`material`")
add("uom_unknown", cell("lots", 2, "uom", "kg"), "lots", 2, "uom", "unknown_word", "`MWh`")
add("claim_unknown", cell("orders", 2, "claim", "green"), "orders", 2, "claim", "unknown_word", "`green_share`")
add("gas_unknown", cell("products", 3, "gas", "CH4"), "products", 3, "gas", "unknown_word", "`CO2`")
add("scopes_unknown", cell("lots", 5, "scopes", "1,2"), "lots", 5, "scopes", "unknown_word")
add("scopes_twice", cell("lots", 5, "scopes", "1+1"), "lots", 5, "scopes", "unknown_word", "each once")
add("scope_4", cell("lots", 5, "scopes", "4"), "lots", 5, "scopes", "unknown_word")
add("name_with_line_break", cell("products", 2, "name", "sheet\nthin"), "products", 2, "name", "text", "control")
add("name_with_bell", cell("customers", 2, "address", "Can\x07Street"), "customers", 2, "address", "text")

# ---- what a kind of lot needs ------------------------------------------------------------------

add("uom_of_material", cell("lots", 2, "uom", "MWh"), "lots", 2, "uom", "unit_of_kind", "`t`")
add("uom_of_energy", cell("lots", 4, "uom", "t"), "lots", 4, "uom", "unit_of_kind", "`GJ`")
add("uom_of_project", cell("lots", 5, "uom", "t"), "lots", 5, "uom", "unit_of_kind", "`tCO2e`")
add("scopes_of_material", cell("lots", 2, "scopes", "1"), "lots", 2, "scopes", "unit_of_kind")
add("scopes_of_energy", cell("lots", 4, "scopes", "1+2"), "lots", 4, "scopes", "unit_of_kind")
add("scopes_of_project", cell("lots", 5, "scopes", ""), "lots", 5, "scopes", "empty_cell", "scopes")
add("category_empty", cell("lots", 2, "category", " "), "lots", 2, "category", "empty_cell")
add("required_empty", cell("orders", 4, "premium_per_t", ""), "orders", 4, "premium_per_t", "empty_cell")
add("offer_name_empty", cell("offers", 3, "offer", ""), "offers", 3, "offer", "empty_cell")
add("expires_before_receipt", cell("lots", 3, "expires", "2026-04-10"), "lots", 3, "expires", "A5.1.3B", "receipt")
add("metal_missing", cell("products", 2, "metal_tco2e_per_t", ""), "products", 2, "metal_tco2e_per_t", "A5.1.2B", "GHG claim")
add("power_missing", cell("sites", 2, "electricity_tco2e_per_mwh", ""), "sites", 2, "electricity_tco2e_per_mwh", "A5.1.2B")
add("heat_missing", cell("sites", 2, "heat_tco2e_per_gj", ""), "sites", 2, "heat_tco2e_per_gj", "A5.1.2B", "heat")

# ---- keys and references -----------------------------------------------------------------------

add("key_twice_lot", again("lots", 2), "lots", 7, "lot", "duplicate_key", "row 2")
add("key_twice_order", cell("orders", 5, "order", "O1"), "orders", 5, "order", "duplicate_key", "row 2")
add("key_twice_spaces", again("customers", 2, customer=" cans "), "customers", 5, "customer", "duplicate_key")
add("key_twice_alloy", again("alloys", 3), "alloys", 6, "alloy", "duplicate_key", "category")
add("key_twice_composition", again("composition", 2, wt_pct="0.2"), "composition", 10, "key", "duplicate_key")
add("key_twice_production", again("production", 2), "production", 6, "product", "duplicate_key", "period")
add("key_twice_offer", cell("offers", 3, "offer", "mild"), "offers", 3, "order", "duplicate_key", "O2, mild")
add("key_twice_project", again("projects", 2), "projects", 3, "project", "duplicate_key", "computation_start")
add("key_twice_limit", again("alloy_limits", 2), "alloy_limits", 5, "alloy", "duplicate_key", "element")
add("no_such_site", cell("lots", 2, "site", "west"), "lots", 2, "site", "unknown_reference", "`sites`")
add("no_such_site_of_product", cell("products", 3, "site", "North"), "products", 3, "site", "unknown_reference")
add("no_such_alloy", cell("products", 3, "alloy", "6064"), "products", 3, "alloy", "unknown_reference", "`alloys`")
add("no_such_product", cell("orders", 2, "product", "PLATE"), "orders", 2, "product", "unknown_reference")
add("no_such_period", cell("orders", 2, "period", "Q3"), "orders", 2, "period", "unknown_reference", "`periods`")
add("no_such_period_of_production", again("production", 2, period="Q3"), "production", 6, "period", "unknown_reference")
add("no_such_order", cell("offers", 2, "order", "O9"), "offers", 2, "order", "unknown_reference", "`orders`")
add("no_such_project", cell("lots", 5, "project", "BOILER"), "lots", 5, "project", "unknown_reference", "`projects`")
add("no_such_alloy_limit", cell("alloy_limits", 4, "alloy", "7075"), "alloy_limits", 4, "alloy", "unknown_reference")
add("no_such_base_alloy", cell("composition", 9, "key", "base:7075"), "composition", 9, "key", "unknown_reference", "base:ALLOY")
add("category_named_base", cells("lots", 3, category="base"), "lots", 3, "category", "reserved_name")
add("lot_named_base", cell("lots", 3, "lot", "base:1"), "lots", 3, "lot", "reserved_name")
add(
    "offer_reads_like_an_order",
    again("orders", 5, order="O2/mild", mass_t="1"),
    "offers", 2, "offer", "ambiguous_name", "order/offer",
)  # fmt: skip
add(
    "units_that_read_alike",
    both(cells("sites", 2, organisation="Maker/A", unit="B"), cells("sites", 3, organisation="Maker", unit="A/B")),
    "sites", 3, "unit", "ambiguous_name", "row 2",
)  # fmt: skip

# ---- periods, production, metals ---------------------------------------------------------------

add("period_gap", cell("periods", 3, "start", "2026-07-02"), "periods", 3, "start", "A5.1.3A", "gap")
add("period_overlap", cell("periods", 3, "start", "2026-06-30"), "periods", 3, "start", "A5.1.3A", "overlap")
add("period_backwards", cell("periods", 3, "end", "2026-06-30"), "periods", 3, "end", "period_dates")
add(
    "periods_out_of_order",
    rows("periods", {"period": "Q2", "start": "2026-07-01", "end": "2026-09-30"}, {"period": "Q1", "start": "2026-04-01", "end": "2026-06-30"}),
    "periods", 3, "start", "A5.1.3A", "time order",
)  # fmt: skip
add("computation_backwards", cell("projects", 2, "computation_end", "2024-03-31"), "projects", 2, "computation_end", "period_dates")
add("beyond_production", cell("orders", 3, "mass_t", "40.000001"), "orders", 3, "mass_t", "A5.1.2A", "100.000001 t")
add("without_production", cell("orders", 4, "period", "Q2"), "orders", 4, "mass_t", "A5.1.2A", base=lambda: _without_production())
add("base_breaks_limit", cell("composition", 7, "wt_pct", "0.41"), "composition", 7, "wt_pct", "A5.1.2C", "0.4 wt % Fe")
add("own_base_breaks_limit", cell("composition", 9, "wt_pct", "0.36"), "composition", 9, "wt_pct", "A5.1.2C", "`6063`")


def _without_production() -> Files:
    files = valid()
    files.tables["production"] = [row for row in files.tables["production"] if (row["product"], row["period"]) != ("BAR", "Q2")]
    return files


# ---- steel -------------------------------------------------------------------------------------

add("steel_takes_projects_only", again("lots", 2, lot="L9", kind="material", uom="t", scopes="3", project=""), "lots", 3, "kind", "JA.3", "`project`", steel)
add("steel_needs_a_project", cell("lots", 2, "project", ""), "lots", 2, "project", "J4.2.1, JA.3", "`projects`", steel)
add("steel_needs_its_row", cell("lots", 2, "project", "BOILER"), "lots", 2, "project", "J4.2.1, JA.3", "`projects`", steel)
add("steel_needs_the_table", without("projects"), "lots", 2, "project", "J4.2.1, JA.3", "`projects`", steel)
add("steel_start", cell("projects", 2, "start", "2012-12-31"), "projects", 2, "start", "J4.2.2", "2013-01-01", steel)
add(
    "steel_computation_start",
    cells("projects", 2, start="", computation_start="2012-04-01", computation_end="2013-03-31"),
    "projects", 2, "computation_start", "J4.2.2", "2013-01-01", steel,
)  # fmt: skip
add("steel_too_long", cell("projects", 2, "computation_end", "2025-04-01"), "projects", 2, "computation_end", "J4.2.2", "12 months", lambda: _verified_late())
add("steel_same_year", cell("projects", 2, "verified_on", "2025-03-31"), "projects", 2, "computation_end", "J4.2.2", "2024-04-01", steel)
add("steel_fiscal_year", setting("fiscal_year_start = 4", "fiscal_year_start = 1"), "projects", 2, "computation_end", "J4.2.2", "2025-01-01", steel)


def _verified_late() -> Files:
    files = steel()
    files.tables["projects"][0]["verified_on"] = "2026-06-15"
    return files


# ---- files and columns -------------------------------------------------------------------------

for name in ("periods", "sites", "lots", "alloys", "products", "production", "orders"):
    add(f"no_{name}", without(name), name, None, "", "missing_table", f"`{name}`")
add("no_settings", without("case.toml"), "case", None, "", "missing_table", "case.toml")
add("no_column", no_column("lots", "quantity"), "lots", None, "quantity", "missing_column", "`quantity`")
add("no_column_of_optional", no_column("projects", "computation_end"), "projects", None, "computation_end", "missing_column")
add("unknown_column", text("customers", "contact\n", "contakt\n"), "customers", 1, "contakt", "unknown_column", "`contact`")
add("column_twice", text("customers", "address", "name"), "customers", 1, "name", "duplicate_column")
add("column_without_name", text("customers", "contact\n", "\n"), "customers", 2, "", "unnamed_column", "column 4")
add("row_short", text("orders", ",,,,\n", ",,,\n"), "orders", 5, "", "row_length", "13 cells")
add("row_long", text("customers", "c@frames.example", "c@frames.example,x"), "customers", 4, "", "row_length", "4 cells")
add("row_long_quoted", text("customers", "1 Can Street,", '"1, Can Street",,'), "customers", 2, "", "row_length", "4 cells")
add("row_of_semicolons", text("alloys", "6063,ingot,1", "6063;ingot;1"), "alloys", 4, "", "row_length", "3 cells")
add("quote_open", text("customers", "1 Can Street", '"1 Can Street'), "customers.csv", 3, "", "file")
add("quote_inside", text("customers", "1 Can Street", '"1" Can Street'), "customers.csv", 2, "", "file")
add("file_empty", file("alloys.csv", b""), "alloys.csv", None, "", "file", "header")
add("file_blank", file("alloys.csv", b" \n\n"), "alloys.csv", None, "", "file", "header")
add("file_binary", file("alloys.csv", bytes(range(256))), "alloys.csv", None, "", "file", "cp932")
add("file_utf16", file("alloys.csv", "alloy,category,max_share\n".encode("utf-16")), "alloys.csv", None, "", "file", "UTF-8")
add("file_not_text", file("alloys.csv", b"alloy,category,max_share\n\xfd\xfe\xff,x,1\n"), "alloys.csv", None, "", "file", "cp932")
add("file_is_zip", file("alloys.csv", b"PK\x03\x04\x14\x00\x00\x00"), "alloys.csv", None, "", "file")
add("file_is_json", file("alloys.csv", b'[{"alloy": 1}]'), "alloys.csv", None, "", "file")
add("file_of_semicolons", file("alloys.csv", b"alloy;category;max_share\n5052;ingot;1\n"), "alloys", 1, "", "file", "alloy, category")
add("file_of_other_table", file("alloys.csv", b"site,unit\nnorth,U1\n"), "alloys", 1, "", "file", "alloy, category")
add("parquet_is_csv", file("alloys.parquet", b"alloy,category,max_share\n5052,ingot,1\n"), "alloys.parquet", None, "", "file", "Parquet")
add("parquet_empty", file("alloys.parquet", b""), "alloys.parquet", None, "", "file")
add("parquet_cut", file("alloys.parquet", parquet(alloy=["5052"])[:-9]), "alloys.parquet", None, "", "file")
add(
    "parquet_nested",
    file("customers.parquet", parquet(customer=["cans"], name=[["a", "b"]])),
    "customers.parquet", None, "name", "column_type", "text",
)  # fmt: skip
add(
    "parquet_nan",
    file("composition.parquet", parquet(key=["ingot", "scrap"], element=["Fe", "Fe"], wt_pct=[0.1, float("nan")])),
    "composition", 3, "wt_pct", "not_a_number",
)  # fmt: skip
add("two_files", also("alloys.parquet", parquet(alloy=["5052"])), "alloys.parquet", None, "", "unknown_table", "not two")
add("unknown_table", also("lot.csv", b"lot\n"), "lot.csv", None, "", "unknown_table", "`lots.csv`")
add("table_as_workbook", also("lots.xlsx", b"PK"), "lots.xlsx", None, "", "unknown_table", "`lots.csv`")
add("table_in_capitals", file("Alloys.csv", b"alloy\n"), "Alloys.csv", None, "", "unknown_table", "`alloys.csv`")

# ---- settings ----------------------------------------------------------------------------------

add("toml_broken", file("case.toml", b"name = \n"), "case", None, "", "file", "TOML")
add("toml_deep", file("case.toml", b"name = " + b"[" * 100_000), "case", None, "", "file", "TOML")
add("toml_long_number", file("case.toml", b"name = " + b"9" * 10_000), "case", None, "", "file", "TOML")
add("toml_cp932", file("case.toml", 'name = "圧延"'.encode("cp932")), "case", None, "", "file", "UTF-8")
add("toml_key_twice", setting('currency = "JPY"', 'currency = "JPY"\ncurrency = "USD"'), "case", None, "", "file", "TOML")
add("setting_unknown", setting("currency", "curency"), "case", None, "curency", "unknown_setting", "`currency`")
add("setting_unknown_nested", setting("address", "adress"), "case", None, "issuer.adress", "unknown_setting", "`address`")
add("setting_unknown_listed", setting("subject", "subjekt"), "case", None, "assurance.0.subjekt", "unknown_setting", "`subject`")
add("name_is_number", setting('"valid"', "5"), "case", None, "name", "setting", "text")
add("month_is_text", setting("fiscal_year_start = 4", 'fiscal_year_start = "April"'), "case", None, "fiscal_year_start", "setting", "whole number")
add("month_is_flag", setting("fiscal_year_start = 4", "fiscal_year_start = true"), "case", None, "fiscal_year_start", "setting", "whole number")
add("month_13", setting("fiscal_year_start = 4", "fiscal_year_start = 13"), "case", None, "fiscal_year_start", "setting", "1 to 12")
add("issuer_is_text", setting('[issuer]\nname = "Maker"\naddress = "1 Works Road"\ncontact = "books@maker.example"', 'issuer = "Maker"'), "case", None, "issuer", "setting", "section")
add("assurance_is_section", setting("[[assurance]]", "[assurance]"), "case", None, "assurance", "setting", "list")
add("assurance_date", setting("date = 2026-03-15", 'date = "15 March"'), "case", None, "assurance.0.date", "setting", "YYYY-MM-DD")
add("goal_unknown", setting('"margin"]', '"profit"]'), "case", None, "objective.order.1", "setting", "`margin`")
add("goal_twice", setting('"margin"]', '"firm_shortfall"]'), "case", None, "objective.order", "setting", "once")
add("goal_missing", setting(', "margin"]', "]"), "case", None, "objective.order", "setting", "once")
add("strategy_unknown", setting('"firm-then-margin"', '"greedy"'), "case", None, "objective.strategy", "setting", "`firm-then-margin`")
add("rules_unknown", setting('"jaa-2026"', '"jaa-2025"'), "case", None, "rules", "rules", "`jaa-2026`")
add("rules_is_number", setting('"jaa-2026"', "2026"), "case", None, "rules", "rules", "text")


def rules_section(*lines: str, identity: str = "jaa-2026") -> Edit:
    """`[rules]` with overrides in place of `rules = ...`."""

    def edit(files: Files) -> None:
        for one in ("jaa-2026", "jisf-2.0"):
            files.settings = files.settings.replace(f'rules = "{one}"\n', "")
        files.settings += "\n".join(("", "[rules]", f'id = "{identity}"', *lines, ""))

    return edit


add("override_unknown", rules_section('boundary_metal = "site"'), "case", None, "rules.boundary_metal", "unknown_setting", "`boundary_material`")
add("override_of_kinds", rules_section('kinds = ["project"]'), "case", None, "rules.kinds", "rules", "fixes")
add("override_wider", rules_section('boundary_material = "organisation"'), "case", None, "rules.boundary_material", "rules", "`accounting_unit`")
add("override_expiry_zero", rules_section("expiry_months = 0"), "case", None, "rules.expiry_months", "rules", "`unlimited`")
add("override_expiry_flag", rules_section("expiry_months = true"), "case", None, "rules.expiry_months", "rules", "`unlimited`")
add("override_expiry_text", rules_section('expiry_months = "24"'), "case", None, "rules.expiry_months", "rules", "`unlimited`")
add("override_carry_over", rules_section('carry_over = "forever"'), "case", None, "rules.carry_over", "rules", "`until_expiry`")
add("override_fixed", rules_section('residual = "inventory"', identity="jisf-2.0"), "case", None, "rules.residual", "rules", "fixes", steel)
add("override_list", rules_section("carry_over = [1]"), "case", None, "rules.carry_over", "rules")
add("rules_id_is_list", setting('rules = "jaa-2026"', "rules = { id = [1] }"), "case", None, "rules.id", "rules", "text")
