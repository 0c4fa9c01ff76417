"""Makes the generators of random cases importable by name, whatever pytest's import mode."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "differential"))
