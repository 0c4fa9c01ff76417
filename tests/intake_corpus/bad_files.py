"""Files, columns and settings that no case may have: (name, edit, place, code, words of the message)."""

from __future__ import annotations

from tests.intake_corpus.edits import (
    Malformed,
    also,
    file,
    no_column,
    parquet,
    rules_section,
    setting,
    text,
    without,
)
from tests.intake_corpus.valid import steel

REQUIRED = ("periods", "sites", "lots", "alloys", "products", "production", "orders")
ISSUER = '[issuer]\nname = "Maker"\naddress = "1 Works Road"\ncontact = "books@maker.example"'
COLUMNS = b"alloy,category,max_share\n"

FILES = [
    ("no_settings", without("case.toml"), "case - -", "missing_table", "case.toml"),
    ("no_column", no_column("lots", "quantity"), "lots - quantity", "missing_column", "`quantity`"),
    (
        "no_column_of_optional",
        no_column("projects", "computation_end"),
        "projects - computation_end",
        "missing_column",
        "`computation_end`",
    ),
    (
        "unknown_column",
        text("customers", "contact\n", "contakt\n"),
        "customers 1 contakt",
        "unknown_column",
        "`contact`",
    ),
    ("column_twice", text("customers", "address", "name"), "customers 1 name", "duplicate_column", "once"),
    ("column_unnamed", text("customers", "contact\n", "\n"), "customers 2 -", "unnamed_column", "column 4"),
    ("row_short", text("orders", ",,,,\n", ",,,\n"), "orders 5 -", "row_length", "13 cells"),
    ("row_long", text("customers", "c@frames", "c@frames,x"), "customers 4 -", "row_length", "4 cells"),
    (
        "row_long_quoted",
        text("customers", "1 Can Street,", '"1, Can Street",,'),
        "customers 2 -",
        "row_length",
        "4 cells",
    ),
    ("row_semicolons", text("alloys", "6063,ingot,1", "6063;ingot;1"), "alloys 4 -", "row_length", "3 cells"),
    ("quote_open", text("customers", "1 Can Street", '"1 Can Street'), "customers.csv 2 -", "file", "quotes"),
    ("quote_inside", text("customers", "1 Can Street", '"1" Can'), "customers.csv 2 -", "file", "quotes"),
    ("cell_endless", text("customers", "1 Can", f'"{"x" * 200_000}"'), "customers.csv 2 -", "file", "131072"),
    ("empty", file("alloys.csv", b""), "alloys.csv - -", "file", "header"),
    ("blank", file("alloys.csv", b" \n\n"), "alloys.csv - -", "file", "header"),
    ("commas", file("alloys.csv", b",,,\n,,\n"), "alloys.csv - -", "file", "header"),
    ("quotes", file("alloys.csv", b'"",""\n'), "alloys.csv - -", "file", "header"),
    ("binary", file("alloys.csv", bytes(range(256))), "alloys.csv - -", "file", "cp932"),
    ("utf16", file("alloys.csv", COLUMNS.decode().encode("utf-16")), "alloys.csv - -", "file", "UTF-8"),
    ("no_text", file("alloys.csv", COLUMNS + b"\xfd\xfe\xff,x,1\n"), "alloys.csv - -", "file", "cp932"),
    ("zip_as_csv", file("alloys.csv", b"PK\x03\x04\x14\x00\x00\x00"), "alloys.csv - -", "file", "cp932"),
    ("json_as_csv", file("alloys.csv", b'[{"alloy": 1}]'), "alloys 1 -", "file", "header"),
    (
        "semicolons",
        file("alloys.csv", b"alloy;category;max_share\n5052;ingot;1\n"),
        "alloys 1 -",
        "file",
        "header",
    ),
    ("other_table", file("alloys.csv", b"site,unit\nnorth,U1\n"), "alloys 1 -", "file", "alloy, category"),
    ("csv_as_parquet", file("alloys.parquet", COLUMNS), "alloys.parquet - -", "file", "Parquet"),
    ("parquet_empty", file("alloys.parquet", b""), "alloys.parquet - -", "file", "Parquet"),
    (
        "parquet_cut",
        file("alloys.parquet", parquet(alloy=["5052"])[:-9]),
        "alloys.parquet - -",
        "file",
        "Parquet",
    ),
    (
        "parquet_nested",
        file("customers.parquet", parquet(customer=["cans"], name=[["a", "b"]])),
        "customers.parquet - name",
        "column_type",
        "text",
    ),
    (
        "parquet_bytes",
        file("customers.parquet", parquet(customer=["cans"], name=[b"\xff\xfe"])),
        "customers.parquet - name",
        "column_type",
        "text",
    ),
    (
        "parquet_nan",
        file(
            "composition.parquet", parquet(key=["ingot", "x"], element=["Fe", "Fe"], wt_pct=[1, float("nan")])
        ),
        "composition 3 wt_pct",
        "not_a_number",
        "finite",
    ),
    (
        "two_files",
        also("alloys.parquet", parquet(alloy=["5"])),
        "alloys.parquet - -",
        "unknown_table",
        "not two",
    ),
    ("unknown_table", also("lot.csv", b"lot\n"), "lot.csv - -", "unknown_table", "`lots.csv`"),
    ("workbook_in_folder", also("lots.xlsx", b"PK"), "lots.xlsx - -", "unknown_table", "`lots.csv`"),
    ("capitals", also("Alloys.csv", b"alloy\n"), "Alloys.csv - -", "unknown_table", "`alloys.csv`"),
]

MONTH = "fiscal_year_start = 4"
SETTINGS = [
    ("toml_broken", file("case.toml", b"name = \n"), "case - -", "file", "TOML"),
    ("toml_deep", file("case.toml", b"name = " + b"[" * 100_000), "case - -", "file", "TOML"),
    ("toml_long_number", file("case.toml", b"name = " + b"9" * 10_000), "case - -", "file", "TOML"),
    ("toml_cp932", file("case.toml", 'name = "圧延"'.encode("cp932")), "case - -", "file", "UTF-8"),
    ("toml_key_twice", setting('currency = "JPY"', "currency = 1\ncurrency = 1"), "case - -", "file", "TOML"),
    ("unknown", setting("currency", "curency"), "case - curency", "unknown_setting", "`currency`"),
    (
        "unknown_in_issuer",
        setting("address", "adress"),
        "case - issuer.adress",
        "unknown_setting",
        "`address`",
    ),
    (
        "unknown_in_list",
        setting("subject", "subj"),
        "case - assurance.0.subj",
        "unknown_setting",
        "`subject`",
    ),
    ("name_is_number", setting('"valid"', "5"), "case - name", "setting", "text"),
    ("month_is_text", setting(MONTH, f'{MONTH[:-1]}"April"'), "case - fiscal_year_start", "setting", "whole"),
    ("month_is_flag", setting(MONTH, f"{MONTH[:-1]}true"), "case - fiscal_year_start", "setting", "whole"),
    ("month_13", setting(MONTH, f"{MONTH[:-1]}13"), "case - fiscal_year_start", "setting", "1 to 12"),
    ("issuer_is_text", setting(ISSUER, 'issuer = "Maker"'), "case - issuer", "setting", "section"),
    ("assurance_is_section", setting("[[assurance]]", "[assurance]"), "case - assurance", "setting", "list"),
    ("assured_when", setting("2026-03-15", '"March"'), "case - assurance.0.date", "setting", "YYYY-MM-DD"),
    ("goal_unknown", setting('"margin"]', '"profit"]'), "case - objective.order.1", "setting", "`margin`"),
    ("goal_twice", setting('"margin"]', '"firm_shortfall"]'), "case - objective.order", "setting", "once"),
    ("goal_missing", setting(', "margin"]', "]"), "case - objective.order", "setting", "once"),
    (
        "strategy",
        setting('"firm-then-margin"', '"greedy"'),
        "case - objective.strategy",
        "setting",
        "firm-then",
    ),
    ("rules_unknown", setting('"jaa-2026"', '"jaa-2025"'), "case - rules", "rules", "`jaa-2026`"),
    ("rules_is_number", setting('"jaa-2026"', "2026"), "case - rules", "rules", "text"),
    ("rules_is_list", setting('"jaa-2026"', '["jaa-2026"]'), "case - rules", "rules", "text"),
    ("id_is_list", setting('rules = "jaa-2026"', "rules = { id = [1] }"), "case - rules.id", "rules", "text"),
]

OVERRIDES = [
    (
        "unknown_parameter",
        'boundary_metal = "site"',
        "boundary_metal",
        "unknown_setting",
        "boundary_material",
    ),
    ("kinds", 'kinds = ["project"]', "kinds", "rules", "fixes"),
    ("wider", 'boundary_material = "organisation"', "boundary_material", "rules", "`accounting_unit`"),
    ("expiry_zero", "expiry_months = 0", "expiry_months", "rules", "`unlimited`"),
    ("expiry_flag", "expiry_months = true", "expiry_months", "rules", "`unlimited`"),
    ("expiry_text", 'expiry_months = "24"', "expiry_months", "rules", "`unlimited`"),
    ("expiry_huge", "expiry_months = 99999999999", "expiry_months", "rules", "`unlimited`"),
    ("carry_over", 'carry_over = "forever"', "carry_over", "rules", "`until_expiry`"),
    ("approval", 'approval = "three"', "approval", "rules", "`four_eyes`"),
    ("list", "carry_over = [1]", "carry_over", "rules", "`until_expiry`"),
]

FIXED = rules_section('residual = "inventory"', identity="jisf-2.0")

FILES_AND_SETTINGS = [
    *(
        Malformed(f"no {name}", without(name), f"{name} - -", "missing_table", f"`{name}`")
        for name in REQUIRED
    ),
    *(Malformed(name, edit, place, code, says) for name, edit, place, code, says in (*FILES, *SETTINGS)),
    *(
        Malformed(f"override {name}", rules_section(line), f"case - rules.{column}", code, says)
        for name, line, column, code, says in OVERRIDES
    ),
    Malformed("override of a fixed parameter", FIXED, "case - rules.residual", "rules", "fixes", steel),
]
