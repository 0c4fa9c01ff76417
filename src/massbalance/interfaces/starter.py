"""`massbalance init DIR`: a commented starter case that runs as it is."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path


def starter_files() -> list[Traversable]:
    """The files of the starter case in the package (`starter_case/`), sorted by name."""
    folder = resources.files("massbalance.interfaces").joinpath("starter_case")
    return sorted((f for f in folder.iterdir() if f.is_file()), key=lambda f: f.name)


def write_starter(folder: Path) -> list[Path]:
    """Write the starter case into `folder`, which is made where it does not exist.

    Returns the files written, sorted by name. FileExistsError where `folder` is a file or holds
    anything at all: nothing is ever overwritten.
    """
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, expected a new or empty folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty, expected a new or empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file in starter_files():
        target = folder / file.name
        target.write_bytes(file.read_bytes())
        written.append(target)
    return written
