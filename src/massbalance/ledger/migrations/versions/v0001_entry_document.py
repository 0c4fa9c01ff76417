"""Entries and documents, and the triggers that keep both append-only.

Every refusal starts with "massbalance:", so that a caller can tell a guard's words from other errors.
What leaves `held` is taken off before what comes is added: the largest balance can be carried over.
Only what a database can know is refused here; the hashes are checked by `verify` (an index to keep them
unique would tell nothing: a hash that stands twice cannot follow the chain). The rows of a journal follow
each other, so it needs no index either.

revision 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPLICATION = 0x6D62_6C31
"""Marks an SQLite file as a ledger ("mbl1")."""

_STAMP = "-".join(("[0-9]" * 4, "[0-9]" * 2, "[0-9]" * 2)) + "T" + ":".join(("[0-9]" * 2,) * 3) + "Z"

_CHECKS = """
    CHECK (kind <> ''),
    CHECK (quantity >= 0),
    CHECK (held >= 0),
    CHECK ("key" <> ''),
    CHECK (length(hash) = 64),
    CHECK ((commodity = '') = (held IS NULL)),
    CHECK (commodity <> '' OR (debit = '' AND credit = '' AND quantity = 0)),
    CHECK (commodity = '' OR (debit <> '' AND credit <> '' AND period <> '')),
    CHECK (commodity = '' OR (debit = credit) = (kind = 'carried_over')),
    CHECK (kind <> 'carried_over' OR (debit = 'held' AND credit = 'held' AND quantity = held)),
    CHECK (commodity = '' OR journal < n),
    CHECK ((n = 1) = (kind = 'open'))
"""

SQLITE_TABLES = (
    f"""
CREATE TABLE entry (
    n INTEGER PRIMARY KEY,
    journal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL CHECK (at GLOB '{_STAMP}'),
    period TEXT NOT NULL,
    commodity TEXT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    held INTEGER,
    subject TEXT NOT NULL,
    "key" TEXT UNIQUE,
    details TEXT NOT NULL,
    hash TEXT NOT NULL,{_CHECKS}
) STRICT
""",
    """
CREATE TABLE document (
    sha256 TEXT NOT NULL PRIMARY KEY CHECK (length(sha256) = 64),
    size INTEGER NOT NULL CHECK (size >= 0),
    content BLOB NOT NULL
) STRICT
""",
    "CREATE INDEX entry_commodity ON entry (commodity, n, held)",
    "CREATE INDEX entry_subject ON entry (subject)",
    "CREATE INDEX entry_kind ON entry (kind, period)",
)

SQLITE_GUARDS = {
    "entry_append": """
CREATE TRIGGER entry_append BEFORE INSERT ON entry
BEGIN
    SELECT RAISE(ABORT, 'massbalance: rows are numbered one after the other')
    WHERE NEW.n IS NOT (SELECT coalesce(max(n), 0) + 1 FROM entry);
    SELECT RAISE(ABORT, 'massbalance: a row is not recorded before the row before it')
    WHERE NEW.at < (SELECT at FROM entry WHERE n = NEW.n - 1);
    SELECT RAISE(ABORT, 'massbalance: the rows of a journal follow its first row')
    WHERE NEW.journal IS NOT NEW.n
    AND NEW.journal IS NOT (SELECT journal FROM entry WHERE n = NEW.n - 1);
    SELECT RAISE(ABORT, 'massbalance: the key exists already')
    WHERE NEW."key" IS NOT NULL AND EXISTS (SELECT 1 FROM entry WHERE "key" = NEW."key");
    SELECT RAISE(ABORT, 'massbalance: held is not the last held changed by the movement')
    WHERE NEW.commodity IS NOT '' AND NEW.held IS NOT
        coalesce((SELECT held FROM entry WHERE commodity = NEW.commodity ORDER BY n DESC LIMIT 1), 0)
        - CASE WHEN NEW.debit = 'held' THEN NEW.quantity ELSE 0 END
        + CASE WHEN NEW.credit = 'held' THEN NEW.quantity ELSE 0 END;
    SELECT RAISE(ABORT, 'massbalance: the period is locked')
    WHERE NEW.commodity IS NOT ''
    AND EXISTS (SELECT 1 FROM entry WHERE kind = 'lock' AND period = NEW.period);
END
""",
    "document_append": """
CREATE TRIGGER document_append BEFORE INSERT ON document
BEGIN
    SELECT RAISE(ABORT, 'massbalance: the document exists already')
    WHERE EXISTS (SELECT 1 FROM document WHERE sha256 = NEW.sha256);
END
""",
} | {
    f"{table}_no_{what.lower()}": f"""
CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table}
BEGIN
    SELECT RAISE(ABORT, 'massbalance: a ledger is only ever appended to');
END
"""
    for table in ("entry", "document")
    for what in ("UPDATE", "DELETE")
}

POSTGRESQL_TABLES = (
    f"""
CREATE TABLE entry (
    n BIGINT PRIMARY KEY,
    journal BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    at TEXT COLLATE "C" NOT NULL CHECK (at ~ '^{_STAMP}$'),
    period TEXT COLLATE "C" NOT NULL,
    commodity TEXT COLLATE "C" NOT NULL,
    debit TEXT COLLATE "C" NOT NULL,
    credit TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL,
    held BIGINT,
    subject TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" UNIQUE,
    details TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,{_CHECKS}
)
""",
    """
CREATE TABLE document (
    sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(sha256) = 64),
    size BIGINT NOT NULL CHECK (size >= 0),
    content BYTEA NOT NULL
)
""",
    # What is archived is compressed already.
    "ALTER TABLE document ALTER content SET STORAGE EXTERNAL",
    "CREATE INDEX entry_commodity ON entry (commodity, n) INCLUDE (held)",
    "CREATE INDEX entry_subject ON entry (subject)",
    "CREATE INDEX entry_kind ON entry (kind, period)",
)

POSTGRESQL_GUARDS = {
    # The schema's name stands in the text, so that a caller's search path cannot lend it other tables.
    "entry_append": """
DECLARE
    last RECORD;
    before BIGINT;
BEGIN
    SELECT n, at, journal INTO last FROM {schema}.entry ORDER BY n DESC LIMIT 1;
    IF NEW.n IS DISTINCT FROM coalesce(last.n, 0) + 1 THEN
        RAISE EXCEPTION 'massbalance: rows are numbered one after the other';
    END IF;
    IF NEW.at < last.at THEN
        RAISE EXCEPTION 'massbalance: a row is not recorded before the row before it';
    END IF;
    IF NEW.journal <> NEW.n AND NEW.journal IS DISTINCT FROM last.journal THEN
        RAISE EXCEPTION 'massbalance: the rows of a journal follow its first row';
    END IF;
    IF NEW.commodity <> '' THEN
        SELECT held INTO before FROM {schema}.entry WHERE commodity = NEW.commodity ORDER BY n DESC LIMIT 1;
        IF NEW.held IS DISTINCT FROM (coalesce(before, 0)
            - CASE WHEN NEW.debit = 'held' THEN NEW.quantity ELSE 0 END
            + CASE WHEN NEW.credit = 'held' THEN NEW.quantity ELSE 0 END)
        THEN
            RAISE EXCEPTION 'massbalance: held is not the last held changed by the movement';
        END IF;
        IF EXISTS (SELECT FROM {schema}.entry WHERE kind = 'lock' AND period = NEW.period) THEN
            RAISE EXCEPTION 'massbalance: the period is locked';
        END IF;
    END IF;
    RETURN NEW;
END
""",
    "ledger_only_appended": """
BEGIN
    RAISE EXCEPTION 'massbalance: a ledger is only ever appended to';
END
""",
}

POSTGRESQL_TRIGGERS = {
    "entry_append": ("entry", "BEFORE INSERT ON {table} FOR EACH ROW", "entry_append"),
} | {
    f"{table}_{what.lower()}": (
        table, f"BEFORE {what} ON {{table}} FOR EACH STATEMENT", "ledger_only_appended",
    )
    for table in ("entry", "document")
    for what in ("UPDATE", "DELETE", "TRUNCATE")
}  # fmt: skip


def upgrade() -> None:
    """Makes both tables, their indices and triggers."""
    if op.get_context().dialect.name == "sqlite":
        for statement in (*SQLITE_TABLES, *SQLITE_GUARDS.values()):
            op.get_bind().exec_driver_sql(statement.strip())
        op.get_bind().exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
    else:
        _postgresql()


def _postgresql() -> None:
    bind = op.get_bind()
    schema = bind.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for statement in POSTGRESQL_TABLES:
        bind.exec_driver_sql(statement)
    for name, body in POSTGRESQL_GUARDS.items():
        text = body.replace("{schema}", schema)
        bind.exec_driver_sql(
            f"CREATE FUNCTION {schema}.{name}() RETURNS trigger LANGUAGE plpgsql AS $${text}$$"
        )
    for name, (table, when, function) in POSTGRESQL_TRIGGERS.items():
        full = f"{schema}.{table}"
        bind.exec_driver_sql(
            f"CREATE TRIGGER {name} {when.format(table=full)} EXECUTE FUNCTION {schema}.{function}()"
        )
        # Always: also in a session that plays a replica, where ordinary triggers sleep.
        bind.exec_driver_sql(f"ALTER TABLE {full} ENABLE ALWAYS TRIGGER {name}")


def downgrade() -> None:
    """A ledger is never taken back."""
    raise NotImplementedError("a ledger is only ever brought forward")
