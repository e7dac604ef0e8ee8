"""Who writes when, and what answering costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smarteros.bench.scale.assumptions import Assumptions

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

_DAY_S = 86_400.0
_STEP_S = 10.0


@dataclass(frozen=True)
class Work:
    """Turns in the order of their arrival. ``service_s`` has a row per station a turn passes through."""

    at_s: Floats
    tenant: Numbers
    service_s: Floats

    def of(self, tenants: NDArray[np.bool_]) -> Work:
        """The part of the tenants marked in ``tenants``."""
        kept = tenants[self.tenant]
        return Work(self.at_s[kept], self.tenant[kept], self.service_s[:, kept])

    def and_(self, other: Work) -> Work:
        """Both, in the order of arrival."""
        at_s = np.concatenate((self.at_s, other.at_s))
        order = np.argsort(at_s, kind="stable")
        return Work(
            at_s[order],
            np.concatenate((self.tenant, other.tenant))[order],
            np.concatenate((self.service_s, other.service_s), axis=1)[:, order],
        )


def sizes(assumptions: Assumptions) -> Floats:
    """Messages a day of every tenant: log-normal, few large and many small ones."""
    spread = _random(assumptions, 0).standard_normal(assumptions.tenants)
    weight = np.exp(assumptions.size_sigma * spread)
    return weight * (assumptions.messages_per_day / weight.mean())


def load_at(assumptions: Assumptions, hour: Floats) -> Floats:
    """Load at an hour of the day / average load: a level that lasts all day and a bell in the evening."""
    share = assumptions.all_day_share
    # The bell's height is what remains of the peak; its width follows, because the average must be 1.
    sigma = 24 * (1 - share) / ((assumptions.peak_ratio - share) * math.sqrt(2 * math.pi))
    away = (hour - assumptions.peak_hour + 12) % 24 - 12
    return share + (assumptions.peak_ratio - share) * np.exp(-0.5 * (away / sigma) ** 2)


def window(assumptions: Assumptions) -> tuple[float, float]:
    """Begin and end of the simulated time in seconds; the peak lies in the middle, at 0."""
    half = assumptions.window_min * 30
    return -half, half


def usual_work(assumptions: Assumptions, size: Floats) -> Work:
    """The messages of the window, without any campaign."""
    begin, end = window(assumptions)
    random = _random(assumptions, 1)
    steps = max(1, math.ceil((end - begin) / _STEP_S))
    step_s = (end - begin) / steps
    starts = begin + step_s * np.arange(steps, dtype=np.float64)
    load = load_at(assumptions, (assumptions.peak_hour + (starts + step_s / 2) / 3600) % 24)
    counts: Numbers = random.poisson(float(size.sum()) / _DAY_S * load * step_s)
    total = int(counts.sum())
    at_s: Floats = np.sort(np.repeat(starts, counts) + random.random(total) * step_s)
    shares: Floats = np.cumsum(size)
    tenant: Numbers = np.searchsorted(shares, random.random(total) * float(shares[-1]), side="right")
    return Work(at_s, tenant, services(assumptions, total, stream=2))


def campaign(assumptions: Assumptions, size: Floats, tenant: int) -> Work:
    """What a tenant's campaign adds, in the middle of the window."""
    random = _random(assumptions, 3)
    half = assumptions.campaign_min * 30
    load = float(load_at(assumptions, np.array([assumptions.peak_hour]))[0])
    rate = float(size[tenant]) / _DAY_S * load * (assumptions.campaign_factor - 1)
    count = int(random.poisson(rate * 2 * half))
    at_s: Floats = np.sort(random.uniform(-half, half, count))
    return Work(at_s, np.full(count, tenant, dtype=np.int64), services(assumptions, count, stream=4))


def services(assumptions: Assumptions, count: int, stream: int) -> Floats:
    """Seconds each turn keeps a worker process busy, and a core of PostgreSQL."""
    mean = np.array([[assumptions.worker_ms / 1000], [assumptions.postgres_s]])
    if assumptions.variation == 0:
        return np.repeat(mean, count, axis=1)
    shape = assumptions.variation**-2
    return mean * _random(assumptions, stream).gamma(shape, 1 / shape, (2, count))


def _random(assumptions: Assumptions, stream: int) -> np.random.Generator:
    """A stream of its own for every purpose: another scenario must not change what the others draw."""
    return np.random.default_rng([assumptions.seed, stream])
