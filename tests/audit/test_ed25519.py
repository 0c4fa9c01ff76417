"""Signatures checked by hand agree with `cryptography`, on right and wrong ones."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from massbalance.audit.alone.ed25519 import ORDER, key_id, signature_holds, verify_by_hand
from massbalance.ledger.signing import key_id as ledger_key_id
from massbalance.ledger.signing import verify


@settings(max_examples=60)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200))
def test_right_signatures_hold(seed: bytes, message: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify_by_hand(public, message, signature)
    assert signature_holds(public.hex(), message, signature.hex())
    assert key_id(public.hex()) == ledger_key_id(public.hex())


@settings(max_examples=150)
@given(
    seed=st.binary(min_size=32, max_size=32),
    message=st.binary(min_size=1, max_size=40),
    part=st.sampled_from(("public", "message", "signature")),
    at=st.integers(0, 1000),
    bit=st.integers(0, 7),
)
def test_changed_ones_are_judged_alike(seed: bytes, message: bytes, part: str, at: int, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    parts = {
        "public": key.public_key().public_bytes_raw(),
        "message": message,
        "signature": key.sign(message),
    }
    told = bytearray(parts[part])
    told[at % len(told)] ^= 1 << bit
    parts[part] = bytes(told)
    by_hand = verify_by_hand(parts["public"], parts["message"], parts["signature"])
    assert by_hand == verify(parts["public"].hex(), parts["message"], parts["signature"].hex())
    assert not by_hand


def test_the_rfcs_own_examples() -> None:
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert verify_by_hand(bytes.fromhex(public), b"", bytes.fromhex(signature))
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verify_by_hand(bytes.fromhex(public), bytes([0x72]), bytes.fromhex(signature))


def test_a_second_spelling_of_a_signature_is_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"m")
    s = int.from_bytes(signature[32:], "little") + ORDER
    doubled = signature[:32] + s.to_bytes(32, "little")
    assert not verify_by_hand(public, b"m", doubled)
    assert not signature_holds(public.hex(), b"m", signature.hex().upper())


@pytest.mark.parametrize(
    ("public", "signature"), [("", ""), ("zz", "00"), ("00" * 31, "00" * 64), ("ff" * 32, "00" * 64)]
)
def test_nonsense_is_no_signature(public: str, signature: str) -> None:
    assert not signature_holds(public, b"m", signature)
    if "z" not in public:
        assert not verify_by_hand(bytes.fromhex(public), b"m", bytes.fromhex(signature))
