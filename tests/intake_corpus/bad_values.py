"""Values that no case may hold: (name, place, value, code, words of the message)."""

from __future__ import annotations

from tests.intake_corpus.edits import Malformed, again, cell, cells, every, only, setting, swapped, without
from tests.intake_corpus.valid import steel

NO_NUMBERS = (
    *("nan", "NaN", "inf", "-inf", "1_000", "1,000", "1e", "0x10", "12 t", "--1", "½", "10²", "1.2.3"),
    *(".", "5..", "#N/A", "Infinity", "1e+", "４_０"),
)
NO_DATES = (
    *("2026-02-30", "2026-13-01", "2026/04/10", "10.04.2026", "20260410", "2026-4-1", "46113"),
    *("2026-04-10T00:00", "0206-04-10", "2026-W15-5", "today"),
)
NO_FLAGS = ("yes", "1", "0", "tRUE", "on", "いいえ", "truefalse")

CELLS = [
    ("optional_share", "lots 2 green_share", "yes", "not_a_number", "1234.5"),
    ("year", "products 2 data_year", "FY25", "not_a_number", "1234.5"),
    ("quantity_negative", "lots 2 quantity", "-1", "out_of_range", "from 0"),
    ("quantity_huge", "lots 2 quantity", "1000000000.000001", "out_of_range", "to 1000000000"),
    ("quantity_astronomic", "lots 2 quantity", "1e999", "out_of_range", "to 1000000000"),
    ("quantity_long", "lots 2 quantity", "9" * 5000, "out_of_range", "to 1000000000"),
    ("too_fine", "lots 2 unit_cost", "1e-99", "out_of_range", "decimals"),
    ("mass_negative", "orders 2 mass_t", "-0.000001", "out_of_range", "from 0"),
    ("production_huge", "production 2 mass_t", "2e9", "out_of_range", "to 1000000000"),
    ("share_above_1", "lots 3 green_share", "1.0000001", "out_of_range", "to 1"),
    ("share_negative", "lots 3 recycled_pre", "-0.1", "out_of_range", "from 0"),
    ("share_as_percent", "alloys 4 max_share", "30", "out_of_range", "to 1"),
    ("share_level_above_1", "orders 2 level", "50", "out_of_range", "a share from 0 to 1"),
    ("level_negative", "orders 3 level", "-1", "out_of_range", "from 0"),
    ("min_fill_above_1", "orders 4 min_fill", "1.5", "out_of_range", "to 1"),
    ("priority_zero", "orders 2 priority", "0", "out_of_range", "from 1"),
    ("priority_fraction", "orders 2 priority", "1.5", "not_whole", "whole number"),
    ("yield_zero", "products 2 t_product_per_t_input", "0", "out_of_range", "above 0"),
    ("yield_above_1", "products 2 t_product_per_t_input", "1.01", "out_of_range", "to 1"),
    ("intensity_negative", "lots 2 intensity_tco2e_per_uom", "-4", "out_of_range", "from 0"),
    ("scope_huge", "products 2 s3", "1e7", "out_of_range", "to 1000000"),
    ("premium_huge", "orders 2 premium_per_t", "1e10", "out_of_range", "from -1000000000"),
    ("content_above_100", "composition 3 wt_pct", "100.1", "out_of_range", "to 100"),
    ("limits_upside_down", "alloy_limits 4 min_wt_pct", "0.7", "limits_in_order", "max_wt_pct"),
    ("optional_date", "products 2 verified_on", "soon", "not_a_date", "YYYY-MM-DD"),
    ("kind", "lots 2 kind", "Material", "unknown_word", "`material`"),
    ("uom", "lots 2 uom", "kg", "unknown_word", "`MWh`"),
    ("claim", "orders 2 claim", "green", "unknown_word", "`green_share`"),
    ("gas", "products 3 gas", "CH4", "unknown_word", "`CO2`"),
    ("scopes_with_comma", "lots 5 scopes", "1,2", "unknown_word", "`1+2`"),
    ("scopes_twice", "lots 5 scopes", "1+1", "unknown_word", "each once"),
    ("scope_4", "lots 5 scopes", "4", "unknown_word", "`1+2`"),
    ("name_with_line_break", "products 2 name", "sheet\nthin", "text", "control"),
    ("address_with_bell", "customers 2 address", "Can\x07Street", "text", "control"),
    ("uom_of_material", "lots 2 uom", "MWh", "unit_of_kind", "`t`"),
    ("uom_of_energy", "lots 4 uom", "t", "unit_of_kind", "`GJ`"),
    ("uom_of_project", "lots 5 uom", "t", "unit_of_kind", "`tCO2e`"),
    ("scopes_of_material", "lots 2 scopes", "1", "unit_of_kind", "`3`"),
    ("scopes_of_energy", "lots 4 scopes", "1+2", "unit_of_kind", "one scope"),
    ("scopes_of_project", "lots 5 scopes", "", "empty_cell", "scopes"),
    ("category_empty", "lots 2 category", "  ", "empty_cell", "a value"),
    ("premium_empty", "orders 4 premium_per_t", "", "empty_cell", "a value"),
    ("offer_empty", "offers 3 offer", "", "empty_cell", "a value"),
    ("expires_before_receipt", "lots 3 expires", "2026-04-10", "A5.1.3B, A5.2.3", "receipt"),
    ("metal_missing", "products 2 metal_tco2e_per_t", "", "A5.1.2B", "GHG claim"),
    ("electricity_missing", "sites 2 electricity_tco2e_per_mwh", "", "A5.1.2B", "electricity"),
    ("heat_missing", "sites 2 heat_tco2e_per_gj", "", "A5.1.2B", "heat"),
    ("site_of_lot", "lots 2 site", "west", "unknown_reference", "`sites`"),
    ("site_of_product", "products 3 site", "North", "unknown_reference", "`sites`"),
    ("alloy_of_product", "products 3 alloy", "6064", "unknown_reference", "`alloys`"),
    ("product_of_order", "orders 2 product", "PLATE", "unknown_reference", "`products`"),
    ("period_of_order", "orders 2 period", "Q3", "unknown_reference", "`periods`"),
    ("order_of_offer", "offers 2 order", "O9", "unknown_reference", "`orders`"),
    ("project_of_lot", "lots 5 project", "BOILER", "unknown_reference", "`projects`"),
    ("alloy_of_limit", "alloy_limits 4 alloy", "7075", "unknown_reference", "`alloys`"),
    ("alloy_of_base", "composition 9 key", "base:7075", "unknown_reference", "`base:ALLOY`"),
    ("category_named_base", "lots 3 category", "base", "reserved_name", "another name"),
    ("lot_named_base", "lots 3 lot", "base:1", "reserved_name", "another name"),
    ("period_gap", "periods 3 start", "2026-07-02", "A5.1.3A", "gap"),
    ("period_overlap", "periods 3 start", "2026-06-30", "A5.1.3A", "overlap"),
    ("period_backwards", "periods 3 end", "2026-06-30", "period_dates", "start"),
    ("computation_backwards", "projects 2 computation_end", "2024-03-31", "period_dates", "start"),
    ("beyond_production", "orders 3 mass_t", "40.000001", "A5.1.2A", "they are 100.000001 t"),
    ("base_above_limit", "composition 7 wt_pct", "0.41", "A5.1.2C", "0.4 wt % Fe"),
    ("own_base_above_limit", "composition 9 wt_pct", "0.36", "A5.1.2C", "`6063`"),
]

STEEL_CELLS = [
    ("steel_without_project", "lots 2 project", "", "J4.2.1, JA.3", "`projects`"),
    ("steel_without_row", "lots 2 project", "BOILER", "J4.2.1, JA.3", "`projects`"),
    ("steel_started_early", "projects 2 start", "2012-12-31", "J4.2.2", "2013-01-01"),
]

VALUES = [
    *(Malformed(name, cell(place, value), place, code, says) for name, place, value, code, says in CELLS),
    *(
        Malformed(name, cell(place, v), place, code, says, steel)
        for name, place, v, code, says in STEEL_CELLS
    ),
    *(
        Malformed(
            f"number {word}", cell("orders 3 mass_t", word), "orders 3 mass_t", "not_a_number", "1234.5"
        )
        for word in NO_NUMBERS
    ),
    *(
        Malformed(
            f"date {word}", cell("lots 2 received", word), "lots 2 received", "not_a_date", "YYYY-MM-DD"
        )
        for word in NO_DATES
    ),
    *(
        Malformed(f"flag {word}", cell("orders 3 firm", word), "orders 3 firm", "not_a_flag", "`true`")
        for word in NO_FLAGS
    ),
]

ROWS = [
    (
        "shares_together",
        cell("lots 3 recycled_pre", "0.4"),
        "lots 3 recycled_post",
        "out_of_range",
        "together",
    ),
    ("offered_share", cells("offers 2", claim="green_share"), "offers 2 level", "out_of_range", "a share"),
    ("lot_twice", again("lots 2"), "lots 7 lot", "duplicate_key", "row 2"),
    ("order_twice", cell("orders 5 order", "O1"), "orders 5 order", "duplicate_key", "row 2"),
    ("customer_twice", again("customers 2", customer=" cans "), "customers 5 customer", "duplicate_key", ""),
    ("alloy_twice", again("alloys 3"), "alloys 6 alloy", "duplicate_key", "category"),
    ("element_twice", again("composition 2", wt_pct="9"), "composition 10 key", "duplicate_key", "element"),
    ("production_twice", again("production 2"), "production 6 product", "duplicate_key", "period"),
    ("offer_twice", cell("offers 3 offer", "mild"), "offers 3 order", "duplicate_key", "O2, mild"),
    ("project_twice", again("projects 2"), "projects 3 project", "duplicate_key", "computation_start"),
    ("limit_twice", again("alloy_limits 2"), "alloy_limits 5 alloy", "duplicate_key", "element"),
    (
        "period_of_production",
        again("production 2", period="Q3"),
        "production 6 period",
        "unknown_reference",
        "",
    ),
    (
        "offer_like_order",
        again("orders 5", order="O2/mild", mass_t="1"),
        "offers 2 offer",
        "ambiguous_name",
        "",
    ),
    ("periods_unordered", swapped("periods"), "periods 3 start", "A5.1.3A", "time order"),
    (
        "without_production",
        only("production", lambda row: (row["product"], row["period"]) != ("BAR", "Q2")),
        "orders 4 mass_t",
        "A5.1.2A",
        "0 t",
    ),
    (
        "units_read_alike",
        every(cells("sites 2", organisation="A/B", unit="C"), cells("sites 3", organisation="A", unit="B/C")),
        "sites 3 unit",
        "ambiguous_name",
        "row 2",
    ),
    (
        "offers_read_alike",
        every(
            again("orders 5", order="O2/x", mass_t="1"),
            again("offers 2", offer="x/y"),
            again("offers 2", order="O2/x", offer="y"),
        ),
        "offers 5 offer",
        "ambiguous_name",
        "row 4",
    ),
]

STEEL_ROWS = [
    (
        "steel_of_material",
        again("lots 2", lot="L9", kind="material", uom="t", scopes=""),
        "lots 3 kind",
        "JA.3",
    ),
    ("steel_without_table", without("projects"), "lots 2 project", "J4.2.1, JA.3"),
    (
        "steel_computed_early",
        cells("projects 2", start="", computation_start="2012-04-01", computation_end="2013-03-31"),
        "projects 2 computation_start",
        "J4.2.2",
    ),
    (
        "steel_computed_too_long",
        cells("projects 2", computation_end="2025-04-01", verified_on="2026-06-15"),
        "projects 2 computation_end",
        "J4.2.2",
    ),
    ("steel_same_year", cell("projects 2 verified_on", "2025-03-31"), "projects 2 computation_end", "J4.2.2"),
    (
        "steel_calendar_year",
        setting("fiscal_year_start = 4", "fiscal_year_start = 1"),
        "projects 2 computation_end",
        "J4.2.2",
    ),
]

TABLES = [
    *(Malformed(name, edit, place, code, says) for name, edit, place, code, says in ROWS),
    *(Malformed(name, edit, place, code, "", steel) for name, edit, place, code in STEEL_ROWS),
]
