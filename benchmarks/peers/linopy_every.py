"""The plain model in linopy with every pair that may serve, also those that cannot help an order.

python -m benchmarks.peers.linopy_every CASE
"""

from __future__ import annotations

from functools import partial

from benchmarks.peers.linopy_plain import PACKAGES, body
from benchmarks.peers.report import measured

if __name__ == "__main__":
    measured(partial(body, every_pair=True), PACKAGES)
