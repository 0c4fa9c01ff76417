"""Signatures (Ed25519): the key of whoever keeps the ledger, and checking what it signed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from massbalance.ledger.location import data_folder
from massbalance.ledger.problems import LedgerError, Refused, fault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ENVIRONMENT = "MASSBALANCE_KEY"
"""Names the file of the private key; else it is `keys/LEDGER.pem` in the user's data folder."""


def key_id(public_hex: str) -> str:
    """Short name of a public key (64 hex): the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(bytes.fromhex(public_hex)).hexdigest()[:16]


def verify(public_hex: str, message: bytes, signature_hex: str) -> bool:
    """Whether the signature (128 hex) is that of the key (64 hex) on the message. Nonsense is False."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key, signature = bytes.fromhex(public_hex), bytes.fromhex(signature_hex)
        if (key.hex(), signature.hex()) != (public_hex, signature_hex):
            return False  # one spelling only: else a changed document could still pass
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


class Signer:
    """A private key. It is made at its first use, in a file that only its owner may read."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_hex: str = private.public_key().public_bytes_raw().hex()
        self.key_id: str = key_id(self.public_hex)

    @classmethod
    def of(cls, ledger: str, path: str | Path | None = None) -> Signer:
        """The signer of a ledger (its id): key file at `path`, else MASSBALANCE_KEY, else in the data folder.

        Raises Refused where the file holds no such key, LedgerError where it cannot be read or made.
        """
        named = path or os.environ.get(ENVIRONMENT) or data_folder() / "keys" / f"{ledger}.pem"
        file = Path(named).expanduser()
        try:
            if not file.exists():
                _make(file)
            return cls(_read(file))
        except OSError as error:
            words = f"a key file that can be read or made ({error.strerror})"
            raise LedgerError(fault(words, "signing-key", value=file)) from error

    def sign(self, message: bytes) -> str:
        """The signature on the message (128 hex); the same message always gets the same."""
        return self._private.sign(message).hex()


def _read(file: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise Refused(fault("a private Ed25519 key in PEM, without a password", "signing-key", value=file))
    return private


def _make(file: Path) -> None:
    """Writes a new key beside the file and links it into place: whole, and only if nobody was first."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        _write(draft, pem)
        try:
            os.link(draft, file)
        except FileExistsError:
            return
        except OSError:  # a file system without links
            with contextlib.suppress(FileExistsError):
                _write(file, pem)
    finally:
        draft.unlink(missing_ok=True)


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
