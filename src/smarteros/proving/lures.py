"""Customers who bring a moment about when a kill waits for it and the plan's own turns do not."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Any, cast

import httpx2

from smarteros.proving.chatwoot import Shop
from smarteros.proving.customers import Customers
from smarteros.proving.plan import Moment, lure

# So long a tool's request stays under way: enough to be seen there, too short for the tool to give up.
_SLOW_TOOL_S = 0.4


class Lures:
    """Plays extra conversations of one turn. What they are told is judged as everything else."""

    def __init__(self, customers: Customers, shops: dict[str, Shop], control_url: str, seed: int) -> None:
        self._customers = customers
        self._tenants = sorted(shops)
        self._url = f"{control_url}/sandbox/faults"
        self._http = httpx2.Client(timeout=10.0, trust_env=False)
        self._rng = random.Random(seed)  # noqa: S311 - not for secrets
        self._asking: dict[str, int] = {}

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def play(self, moment: Moment) -> None:
        """Begin a turn that passes the moment; does not wait for its reply."""
        tenant_id = self._rng.choice(self._tenants)
        step = lure(self._rng, tenant_id, moment)
        if moment == "call_tools":
            fault = {"service": "shopify", "kind": "slow", "scope": tenant_id, "times": 1, "value": _SLOW_TOOL_S}
            self._http.post(self._url, json=fault).raise_for_status()
        conversation_id = self._customers.play_extra(tenant_id, step)
        if conversation_id is not None and moment == "call_tools":
            self._asking[tenant_id] = conversation_id

    def calling(self) -> Collection[tuple[str, int]]:
        """The conversations whose tools are being called: the request has met the fault that waited for it."""
        faults = cast("list[dict[str, Any]]", self._http.get(self._url).json()["faults"])
        waiting = {fault["scope"] for fault in faults if (fault["service"], fault["kind"]) == ("shopify", "slow")}
        return [(tenant_id, number) for tenant_id, number in self._asking.items() if tenant_id not in waiting]
