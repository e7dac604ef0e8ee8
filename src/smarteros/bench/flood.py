"""What one shop's flood does to another shop's answers, when it is more than the machine can do.

``python -m smarteros.bench.flood`` measures on an installation of its own and prints JSON: the quiet shop's latencies
alone and under the flood, turn about, and their ratio (target: at most 1.2). The flooding shop has no limit of
requests: what is measured are the shares alone.
"""

from __future__ import annotations

import json
import os
import secrets as random_secrets
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from smarteros.bench.installation import Installation, open_installation
from smarteros.bench.processes import Process, wait_until_idle
from smarteros.bench.traffic import Sample, Traffic

FLOODING = "TENANT_BENCH_FLOOD"
TARGET = 1.2
_QUIET_RATE, _QUIET_TURNS = 4.0, 40
# More than two cores answer; the flood lasts as long as the quiet shop is looked at.
_FLOOD_RATE = 200.0
_WARM_UP = 20
_ROUNDS = 5


def main() -> None:
    """Measure and print JSON."""
    secret = random_secrets.token_urlsafe(24)
    others = round(os.getloadavg()[0], 2)  # before we begin: what other programs do
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smos-flood-")))
        quiet, flood = Traffic(secret), Traffic(secret)
        stack.callback(quiet.close)
        stack.callback(flood.close)
        installation = stack.enter_context(
            open_installation(folder / "data", quiet.url, secret, **{FLOODING: flood.url})
        )
        edge, worker = (stack.enter_context(installation.serve(role)) for role in ("edge", "worker"))
        wait_until_idle([edge.pid, worker.pid])
        found = measured(installation, edge, [edge.pid, worker.pid], quiet, flood)
    sys.stdout.write(json.dumps(found | {"load_before": others}) + "\n")


def measured(
    installation: Installation, edge: Process, pids: list[int], quiet: Traffic, flood: Traffic
) -> dict[str, float]:
    """Return the quiet shop's p95 in milliseconds, alone and under the flood, and what was not answered."""
    quiet_url, flood_url = installation.webhook_url(edge), installation.webhook_url(edge, FLOODING)
    quiet.send(quiet_url, _QUIET_RATE, _WARM_UP)
    flood.send(flood_url, _QUIET_RATE, _WARM_UP)
    alone, beside = Sample(), Sample()
    for _ in range(_ROUNDS):
        _add(alone, quiet.send(quiet_url, _QUIET_RATE, _QUIET_TURNS))
        with ThreadPoolExecutor(1) as pool:
            count = round(_FLOOD_RATE * _QUIET_TURNS / _QUIET_RATE)
            flooding = pool.submit(flood.send, flood_url, _FLOOD_RATE, count, replies=False)
            _add(beside, quiet.send(quiet_url, _QUIET_RATE, _QUIET_TURNS))
            flooding.result()
        wait_until_idle(pids)  # what is left of the flood is none of the next round's
    before, under = _p95_ms(alone), _p95_ms(beside)
    return {
        "quiet_alone_p95_ms": before,
        "quiet_under_flood_p95_ms": under,
        "ratio": round(under / before, 2) if before else 0.0,
        "target_ratio": TARGET,
        "quiet_unanswered": alone.unanswered + beside.unanswered,
        "flood_answered": flood.replies,
    }


def _add(to: Sample, sample: Sample) -> None:
    to.answered += sample.answered
    to.unanswered += sample.unanswered


def _p95_ms(sample: Sample) -> float:
    at = sorted(sample.answered)
    return round(1000 * at[min(len(at) - 1, int(0.95 * len(at)))], 1) if at else 0.0


if __name__ == "__main__":
    main()
