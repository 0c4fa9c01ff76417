"""Checkpoints: the head of a ledger, signed, for others to hold.

Whoever holds one can tell later whether anything up to its row was changed, removed or put in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from massbalance.ledger import kinds
from massbalance.ledger.problems import Refused, fault
from massbalance.ledger.reading import Reading
from massbalance.ledger.rows import Row, details_text
from massbalance.ledger.signing import Signer, verify
from massbalance.ledger.writer import Writer


@dataclass(frozen=True)
class Checkpoint:
    """The ledger's row n had this hash (64 hex) and time; signed (128 hex) by a key (public, 64 hex)."""

    ledger: str
    n: int
    hash: str
    at: str
    key: str
    signature: str = ""

    @classmethod
    def read(cls, document: str | bytes | Mapping[str, Any]) -> Self:
        """A checkpoint from its document, JSON text or dictionary. Refused where it is none."""
        try:
            facts = document if isinstance(document, Mapping) else json.loads(document)
            made = cls(**facts)
        except (ValueError, TypeError, RecursionError) as error:
            raise Refused(fault("a checkpoint", "checkpoint", table="checkpoint")) from error
        for name, value in asdict(made).items():
            if type(value) is not (int if name == "n" else str):
                words = "a number" if name == "n" else "text"
                raise Refused(fault(words, "checkpoint", table="checkpoint", column=name, value=repr(value)))
        return made

    def document(self) -> dict[str, Any]:
        """As a dictionary: what a `signed` row holds, and what is exported."""
        return asdict(self)

    def text(self) -> str:
        """As a file: one line of JSON."""
        return details_text(self.document()) + "\n"

    def message(self) -> bytes:
        """What is signed: everything else in its one spelling."""
        facts = self.document()
        del facts["signature"]
        return details_text(facts).encode()

    def holds(self) -> bool:
        """Whether the signature is that of its key. Whose key that is, the ledger's `key` rows tell."""
        return verify(self.key, self.message(), self.signature)


def checkpoint(reading: Reading, signer: Signer) -> Checkpoint:
    """A signed checkpoint of the last row. Nothing is written."""
    head = reading.head()
    bare = Checkpoint(reading.id, head.n, head.hash, head.at, signer.public_hex)
    return replace(bare, signature=signer.sign(bare.message()))


def introduce(writer: Writer, signer: Signer, who: str = "") -> None:
    """States the signer's public key in the ledger, at its first use there. Needs a journal."""
    name = f"key:{signer.key_id}"
    if writer.find(name) is None:
        writer.state(kinds.KEY, key=name, details={"public": signer.public_hex, "who": who})


def sign(writer: Writer, signer: Signer, who: str = "") -> Checkpoint:
    """Signs all rows up to here, in the row that follows (`signed`, key `checkpoint:N`). Needs a journal."""
    introduce(writer, signer, who)
    made = checkpoint(writer, signer)
    writer.state(kinds.SIGNED, key=f"checkpoint:{made.n}", details=made.document())
    return made


def latest(reading: Reading) -> Checkpoint | None:
    """The last checkpoint that the ledger itself holds, for exporting."""
    last: Row | None = None
    for row in reading.rows(kind=kinds.SIGNED):
        last = row
    return Checkpoint.read(last.facts()) if last else None
