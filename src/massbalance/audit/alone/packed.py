"""The pack's files: the manifest, its signature, the second copy, and where the first wrong byte is.

The order in which files are looked at, and so what "first" means: manifest.json, manifest.sig.json,
then the files in the manifest's order (by path; copy.zip last), then files that the manifest does
not know. copy.zip holds a second copy of every other file of the manifest, not compressed, so that
every byte of it follows from the files and every file can be read out of it.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from massbalance.audit.alone.ed25519 import key_id, signature_holds

MANIFEST, SIGNATURE, COPY, PACK = "manifest.json", "manifest.sig.json", "copy.zip", "pack.json"
Files = Dict[str, bytes]


def canonical(value: Any) -> bytes:
    """A document in its one spelling: keys sorted, indented by one, UTF-8, one line feed at the end."""
    return (json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def sha256(content: bytes) -> str:
    """SHA-256, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def manifest_of(files: Files) -> bytes:
    """manifest.json for these files (without itself and its signature): what pack.json says, and they."""
    listed = [
        {"name": name, "size": len(files[name]), "sha256": sha256(files[name])} for name in in_order(files)
    ]
    return canonical({**json.loads(files[PACK]), "files": listed})


def in_order(names: Any) -> List[str]:
    """Names of files in the manifest's order."""
    return sorted(names, key=lambda name: (name == COPY, name))


def signature_document(public_hex: str, signature_hex: str) -> bytes:
    """manifest.sig.json."""
    return canonical({"key": public_hex, "key_id": key_id(public_hex), "signature": signature_hex})


# ---- the second copy ---------------------------------------------------------------------------------

_FIRST_DAY = (1 << 5) | 1  # 1 January 1980: a ZIP must have a date, and there is none to tell


def _header(name: bytes, content: bytes) -> bytes:
    crc, size = zlib.crc32(content), len(content)
    return struct.pack("<HHHHHIIIHH", 20, 0x800, 0, 0, _FIRST_DAY, crc, size, size, len(name), 0)


def zip_of(files: Files) -> bytes:
    """A ZIP of the files in the manifest's order, stored: the same files give the same bytes.

    ValueError beyond what a plain ZIP holds (4 GiB, 65,535 files).
    """
    out, central, at = [], [], 0
    for name in in_order(files):
        content, spelt = files[name], name.encode()
        header = _header(spelt, content)
        central.append(b"PK\1\2" + struct.pack("<H", 20) + header + struct.pack("<HHHII", 0, 0, 0, 0, at))
        central.append(spelt)
        out += [b"PK\3\4", header, spelt, content]
        at += 30 + len(spelt) + len(content)
    listed = b"".join(central)
    if at + len(listed) >= 2**32 or len(files) >= 2**16:
        raise ValueError("a pack beyond 4 GiB or 65,535 files")
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(listed), at, 0)
    return b"".join([*out, listed, b"PK\5\6", end])


def in_copy(listed: List[Dict[str, Any]], copy: bytes) -> Files:
    """The files of the manifest as copy.zip has them, where their SHA-256 is right."""
    found, at = {}, 0
    for item in listed:
        name, size = item["name"], item["size"]
        if name != COPY:
            at += 30 + len(name.encode())
            content = copy[at : at + size]
            if sha256(content) == item["sha256"]:
                found[name] = content
            at += size
    return found


# ---- the first wrong byte ----------------------------------------------------------------------------


class Wrong:
    """A fault of a file: its name, the offset of its first wrong byte (None: the whole file), and words."""

    def __init__(self, file: str, offset: Optional[int], text: str) -> None:
        self.file, self.offset, self.text = file, offset, text


def difference(name: str, found: bytes, expected: bytes) -> Optional[Wrong]:
    """Where `found` first differs from `expected`, and how; None where it does not."""
    if found == expected:
        return None
    at, most = 0, min(len(found), len(expected))
    step = 1 << 16
    while at < most and found[at : at + step] == expected[at : at + step]:
        at += step
    at = min(at, most)
    while at < most and found[at] == expected[at]:
        at += 1
    line = found.count(b"\n", 0, at) + 1
    told = f"byte {found[at]:#04x}" if at < len(found) else "the end of the file"
    right = f"{expected[at]:#04x}" if at < len(expected) else "the end of the file"
    sizes = "" if len(found) == len(expected) else f" ({len(found)} bytes for {len(expected)})"
    return Wrong(name, at, f"offset {at}, line {line}: {told} where {right} is expected{sizes}")


def read_folder(folder: Path) -> Files:
    """All files under a folder by their path with `/`."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return {
        path.relative_to(folder).as_posix(): b""
        if path.is_symlink() and not path.exists()
        else path.read_bytes()
        for path in found
    }


def check_files(files: Files) -> Tuple[List[Wrong], Optional[str]]:
    """All wrong files in order, and the public key that signs the manifest (None where none does)."""
    wrong = [Wrong(name, None, "missing") for name in (MANIFEST, SIGNATURE) if name not in files]
    manifest, public = _settled_manifest(files, wrong)
    if manifest is None:
        return wrong, None
    listed = json.loads(manifest)["files"]
    wrong += _check_listed(files, listed)
    known = {item["name"] for item in listed} | {MANIFEST, SIGNATURE}
    wrong += [Wrong(name, None, "not in the manifest") for name in sorted(files) if name not in known]
    return wrong, public


def _settled_manifest(files: Files, wrong: List[Wrong]) -> Tuple[Optional[bytes], Optional[str]]:
    """The manifest as signed, found or rebuilt; what is wrong with it or its signature is added."""
    found, signed = files.get(MANIFEST), files.get(SIGNATURE)
    key, signature = _signature(signed or b"")
    if found is not None and key and signature_holds(key, found, signature):
        _add(wrong, difference(SIGNATURE, signed or b"", signature_document(key, signature)))
        return (found, key) if _readable(found) else (None, key)
    for rebuilt in _rebuilt(files):
        if key and signature_holds(key, rebuilt, signature):
            _add(wrong, (found is not None and difference(MANIFEST, found, rebuilt)) or None)
            _add(wrong, difference(SIGNATURE, signed or b"", signature_document(key, signature)))
            return rebuilt, key
    return _unsigned(files, wrong)


def _unsigned(files: Files, wrong: List[Wrong]) -> Tuple[Optional[bytes], Optional[str]]:
    """No signature holds: tell where manifest.json or manifest.sig.json leaves what it must be."""
    found, signed = files.get(MANIFEST), files.get(SIGNATURE)
    for rebuilt in _rebuilt(files):
        if signed is not None:
            at_fault = _mended(signed, rebuilt, _ledger_keys(files))
            if at_fault is not None:
                _add(wrong, (found is not None and difference(MANIFEST, found, rebuilt)) or None)
                wrong.append(at_fault)
                return rebuilt, None
    if found is not None and _readable(found):
        if signed is not None:
            wrong.append(Wrong(SIGNATURE, None, "it does not sign manifest.json"))
        return found, None
    if found is not None:
        for rebuilt in _rebuilt(files):
            _add(wrong, difference(MANIFEST, found, rebuilt))
            return rebuilt, None
        wrong.append(Wrong(MANIFEST, None, "it cannot be read"))
    return None, None


def _add(wrong: List[Wrong], one: Optional[Wrong]) -> None:
    if one is not None:
        wrong.append(one)


def _readable(manifest: bytes) -> bool:
    try:
        listed = json.loads(manifest)["files"]
        return all(
            isinstance(i["name"], str) and isinstance(i["size"], int) and isinstance(i["sha256"], str)
            for i in listed
        )
    except (ValueError, KeyError, TypeError):
        return False


def _signature(signed: bytes) -> Tuple[str, str]:
    """Public key and signature of manifest.sig.json; empty where it cannot be read."""
    try:
        document = json.loads(signed)
        return str(document["key"]), str(document["signature"])
    except (ValueError, KeyError, TypeError):
        return "", ""


def _rebuilt(files: Files) -> Iterator[bytes]:
    """The manifest that belongs to the files as they are; then the one of the manifest's files alone."""
    payload = {name: content for name, content in files.items() if name not in (MANIFEST, SIGNATURE)}
    try:
        yield manifest_of(payload)
    except (ValueError, KeyError, TypeError):
        return
    found = files.get(MANIFEST, b"")
    if _readable(found):
        yield canonical(json.loads(found))


def _ledger_keys(files: Files) -> List[str]:
    """The public keys that the ledger's rows of kind `key` name."""
    keys = []
    for line in files.get("ledger/entries.txt", b"").split(b"\n"):
        if b',"key",' in line:
            try:
                row = json.loads(line.split(b"\t")[2])
                if row[2] == "key":
                    keys.append(row[12]["public"])
            except (ValueError, IndexError, KeyError, TypeError):
                continue
    return keys


def _mended(signed: bytes, manifest: bytes, keys: List[str]) -> Optional[Wrong]:
    """The first wrong byte of manifest.sig.json: by its format and, within the signature, by trying.

    One character of the signature may be changed, added or missing; anything else may be wrong at will.
    """
    for key in keys:
        for found in _SIGNATURE_LIKE.finditer(signed):
            if signature_holds(key, manifest, found.group(1).decode()):
                return difference(SIGNATURE, signed, signature_document(key, found.group(1).decode()))
        blank = signature_document(key, "0" * 128)
        start = blank.index(b"0" * 128)
        end = len(signed) - (len(blank) - start - 128)
        if signed[:start] != blank[:start] or signed[end:] != blank[start + 128 :]:
            continue
        for tried in _near(signed[start:end].decode("latin-1")):
            if signature_holds(key, manifest, tried):
                return difference(SIGNATURE, signed, signature_document(key, tried))
    return None


_SIGNATURE_LIKE = re.compile(b"(?=([0-9a-f]{128}))")


def _near(held: str) -> Iterator[str]:
    """Every text of 128 hex digits that one change, addition or omission makes of `held`."""
    digits, strange = "0123456789abcdef", [at for at, c in enumerate(held) if c not in "0123456789abcdef"]
    if len(held) not in (127, 128, 129) or len(strange) > 1:
        return
    for at in strange or range(128 if len(held) < 129 else 129):
        if len(held) == 129:
            yield held[:at] + held[at + 1 :]
        else:
            for digit in digits:
                yield held[:at] + digit + held[at + len(held) - 127 :]


def _check_listed(files: Files, listed: List[Dict[str, Any]]) -> List[Wrong]:
    """Every file of the manifest: there, of its size and hash; else where it first differs."""
    wrong, copies = [], in_copy(listed, files.get(COPY, b""))
    sound: Files = {}
    for item in listed:
        name = item["name"]
        if name in files and len(files[name]) == item["size"] and sha256(files[name]) == item["sha256"]:
            sound[name] = files[name]
    for item in listed:
        name = item["name"]
        if name in sound:
            continue
        if name not in files:
            wrong.append(Wrong(name, None, "missing"))
        elif name == COPY:
            wrong.append(_wrong_copy(files[name], listed, {**copies, **sound}))
        elif name in copies:
            wrong.append(difference(name, files[name], copies[name]) or Wrong(name, None, "differs"))
        else:
            text = f"its SHA-256 is not the manifest's, nor is that of its copy in {COPY}"
            wrong.append(Wrong(name, None, text))
    return wrong


def _wrong_copy(found: bytes, listed: List[Dict[str, Any]], sound: Files) -> Wrong:
    """The first wrong byte of copy.zip; where a file is lost on both sides, zeros stand for it."""
    names = [item["name"] for item in listed if item["name"] != COPY]
    lost = [name for name in names if name not in sound]
    if not lost:
        return difference(COPY, found, zip_of({name: sound[name] for name in names})) or Wrong(
            COPY, None, "differs"
        )
    return Wrong(COPY, None, f"damaged, with {lost[0]}: neither can be rebuilt from the other")
