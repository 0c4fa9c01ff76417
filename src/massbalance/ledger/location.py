"""Where a ledger is: a file, an address, or the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_dir
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from massbalance.ledger.problems import LedgerMissing, fault

ENVIRONMENT = "MASSBALANCE_LEDGER"
"""Names the ledger where no option does."""

EXPECTED = "a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE"


def data_folder() -> Path:
    """The user's data folder of massbalance (ledger and keys live there unless told otherwise)."""
    return Path(user_data_dir("massbalance", appauthor=False))


def default_path() -> Path:
    """The ledger's file where nothing else is said."""
    return data_folder() / "ledger.db"


def address(where: str | Path | None = None) -> URL:
    """The address of the ledger: `where`, else MASSBALANCE_LEDGER, else the default file.

    Raises LedgerMissing where that is no address a ledger can have.
    """
    text = where if where is not None else os.environ.get(ENVIRONMENT) or default_path()
    if isinstance(text, Path):
        return file_url(text)
    if "://" not in text:
        return file_url(Path(text)) if text.strip() else _refuse(text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return _refuse(_without_password(text))
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database and not url.query:
        return file_url(Path(url.database)) if url.database != ":memory:" else _refuse(text)
    return _refuse(shown(url))


def file_url(path: Path) -> URL:
    """Address of a ledger in a file; the path becomes absolute, `~` the user's folder."""
    return URL.create("sqlite+pysqlite", database=str(path.expanduser().absolute()))


def shown(url: URL) -> str:
    """The address for people: without its password, a file as its path."""
    if url.drivername.startswith("sqlite"):
        return url.database or ""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _without_password(text: str) -> str:
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _refuse(text: str) -> URL:
    raise LedgerMissing(fault(EXPECTED, "ledger-address", value=text))
