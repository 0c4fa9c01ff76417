"""Every test of the ledger runs on SQLite and on a PostgreSQL server."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import postgres_server
from massbalance.ledger.store import Ledger
from tests.ledger.tiny import run_tiny

NewUrl = Callable[[], str]


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server with rights to make schemas; without one the test is skipped, or fails where one is needed."""
    return postgres_server.url_or_skip(tmp_path_factory)


@pytest.fixture
def new_postgres_url(postgres_url: str) -> Iterator[NewUrl]:
    """Makes a new, empty schema on the server; gives its address."""
    import psycopg

    made: list[str] = []

    def new() -> str:
        made.append(f"Test {uuid.uuid4().hex[:12]}")  # a name that must be quoted
        with psycopg.connect(postgres_url, autocommit=True) as server:
            server.execute(f'CREATE SCHEMA "{made[-1]}"')
        joint = "&" if "?" in postgres_url else "?"
        escaped = made[-1].replace(" ", "%5C%20")
        return f"{postgres_url}{joint}options=-csearch_path%3D%22{escaped}%22"

    yield new
    with psycopg.connect(postgres_url, autocommit=True) as server:
        for schema in made:
            server.execute(f'DROP SCHEMA "{schema}" CASCADE')


@pytest.fixture
def new_sqlite_url(tmp_path: Path) -> NewUrl:
    """Gives the address of a file that does not exist yet."""
    return lambda: str(tmp_path / f"{uuid.uuid4().hex[:12]}.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest) -> NewUrl:
    """Gives addresses of new, empty databases: SQLite, then PostgreSQL."""
    return request.getfixturevalue("new_sqlite_url" if request.param == "sqlite" else "new_postgres_url")


@pytest.fixture
def ledger_url(new_url: NewUrl) -> str:
    """The address of one new, empty database."""
    return new_url()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A new ledger."""
    with Ledger.open(ledger_url, name="test") as opened:
        yield opened


@pytest.fixture(autouse=True)
def own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures by a key of the test's own, never the user's."""
    monkeypatch.setenv("MASSBALANCE_KEY", str(tmp_path / "key.pem"))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    """A new ledger in a file."""
    with Ledger.open(tmp_path / "book.db") as opened:
        yield opened


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the tiny case's first two quarters (do not change it)."""
    return run_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of its first quarter alone (do not change it)."""
    return run_tiny(tmp_path_factory.mktemp("tiny-first"), ("Q1",))
