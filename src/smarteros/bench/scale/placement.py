"""Which cell a new tenant gets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int64]
_Hashes = NDArray[np.uint64]


def rendezvous(tenants: int, cells: int, salt: int = 0) -> Cells:
    """Give every tenant the cell with the highest hash of both; a further cell only takes, it moves nothing else.

    Tenants and cells are numbers here; a router hashes their ids. ``salt`` makes another equally good placement.
    """
    best = np.zeros(tenants, dtype=np.uint64)
    chosen = np.zeros(tenants, dtype=np.int64)
    own = _mixed(np.arange(tenants, dtype=np.uint64) + np.uint64(salt << 32))
    for cell in range(cells):
        score = _mixed(own ^ _mixed(np.full(1, (cell + 1) << 20, dtype=np.uint64)))
        higher = score > best
        best[higher] = score[higher]
        chosen[higher] = cell
    return chosen


def modulo(tenants: int, cells: int, salt: int = 0) -> Cells:
    """Give every tenant the cell its hash leaves as a remainder: what rendezvous hashing is compared with."""
    own = _mixed(np.arange(tenants, dtype=np.uint64) + np.uint64(salt << 32))
    return (own % np.uint64(cells)).astype(np.int64)


def moved(before: Cells, after: Cells, weight: NDArray[np.float64] | None = None) -> float:
    """Part of the tenants, or of their weight, that changes its cell."""
    return float(np.average(before != after, weights=weight))


def imbalance(cell_of: Cells, weight: NDArray[np.float64], cells: int) -> float:
    """The fullest cell's load / the average cell's."""
    load = np.bincount(cell_of, weights=weight, minlength=cells)
    return float(load.max() / load.mean())


def _mixed(values: _Hashes) -> _Hashes:
    """SplitMix64: every bit of the result depends on every bit of the value (Steele, Lea, Flood 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
