"""Which ledger is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from massbalance.ledger import location
from massbalance.ledger.location import address, shown
from massbalance.ledger.problems import LedgerError, LedgerMissing
from massbalance.ledger.store import Ledger


def test_option_then_environment_then_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(location, "user_data_dir", lambda *_, **__: str(tmp_path))
    monkeypatch.delenv(location.ENVIRONMENT, raising=False)
    assert address().database == str(tmp_path / "ledger.db")
    monkeypatch.setenv(location.ENVIRONMENT, str(tmp_path / "other.db"))
    assert address().database == str(tmp_path / "other.db")
    assert address(tmp_path / "third.db").database == str(tmp_path / "third.db")
    monkeypatch.setenv(location.ENVIRONMENT, "")
    assert address().database == str(tmp_path / "ledger.db")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.db", str(Path.cwd() / "a.db")),
        ("sqlite:///a.db", str(Path.cwd() / "a.db")),
        ("sqlite+pysqlite:////x/a b.db", str(Path("/x/a b.db").absolute())),
        ("~/a.db", str(Path.home() / "a.db")),
        ("帳簿.db", str(Path.cwd() / "帳簿.db")),
    ],
)
def test_files(text: str, expected: str) -> None:
    assert address(text).database == expected
    assert shown(address(text)) == expected


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_servers(scheme: str) -> None:
    url = address(f"{scheme}://me:secret@host:5433/books?sslmode=require")
    assert url.drivername == "postgresql+psycopg"
    assert (url.host, url.port, url.database, url.query["sslmode"]) == ("host", 5433, "books", "require")
    assert shown(url) == "postgresql://me:***@host:5433/books?sslmode=require"


@pytest.mark.parametrize(
    "text",
    [
        "mysql://host/books", "sqlite://", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "http://host", "",
        " ", "postgresql+asyncpg://host/books", "postgresql://me:secret@host:port/books",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(LedgerMissing) as refused:
        address(text)
    assert refused.value.exit_code == 2
    assert "secret" not in str(refused.value)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(LedgerError) as refused:
        Ledger.open(f"postgresql://me:secret@/books?host={tmp_path}")
    assert refused.value.faults[0].code == "ledger-connection"
    assert "secret" not in str(refused.value)


def test_a_database_that_is_not_there(postgres_url: str) -> None:
    import sqlalchemy as sa

    url = sa.make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(LedgerMissing):
        Ledger.open(url)
