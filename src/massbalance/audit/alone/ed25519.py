"""Ed25519 signatures (RFC 8032): checked by `cryptography` where it is installed, else by hand."""

from __future__ import annotations

import hashlib
import re
from typing import Optional, Tuple

P = 2**255 - 19
"""The field of the curve."""
ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point."""
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
"""A square root of -1."""
Point = Tuple[int, int, int, int]
"""(X, Y, Z, T) with x = X/Z, y = Y/Z, x * y = T/Z."""


def _x_of(y: int, sign: int) -> Optional[int]:
    """The x of a point of the curve with this y and lowest bit; None where there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _decoded(text: bytes) -> Optional[Point]:
    """A point from its 32 bytes; None where they are none."""
    number = int.from_bytes(text, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _sum(a: Point, b: Point) -> Point:
    one = (a[1] - a[0]) * (b[1] - b[0]) % P
    two = (a[1] + a[0]) * (b[1] + b[0]) % P
    three, four = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = two - one, four - three, four + three, two + one
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, point: Point) -> Point:
    found: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _sum(found, point)
        point = _sum(point, point)
        number >>= 1
    return found


def _same(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = _x_of(BASE_Y, 0) or 0
BASE: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def verify_by_hand(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature (64 bytes) of the message is that of the public key (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = _decoded(public), _decoded(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    return _same(_times(s, BASE), _sum(r, _times(k, a)))


_HEX = re.compile("(?:[0-9a-f]{2})*")


def signature_holds(public_hex: str, message: bytes, signature_hex: str) -> bool:
    """Whether the signature (128 hex digits) of the message is that of the public key (64 hex digits)."""
    if not (_HEX.fullmatch(public_hex) and _HEX.fullmatch(signature_hex)):
        return False
    public, signature = bytes.fromhex(public_hex), bytes.fromhex(signature_hex)
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except Exception:  # noqa: BLE001 - not installed, or not whole: then by hand
        return verify_by_hand(public, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public_hex: str) -> str:
    """The short name of a public key: the first 16 hex digits of its SHA-256; "" where it is no key."""
    try:
        return hashlib.sha256(bytes.fromhex(public_hex)).hexdigest()[:16]
    except (ValueError, TypeError):
        return ""
