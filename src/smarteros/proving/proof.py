"""``prove``: build the fleet, play the plan, wait until it is quiet, and judge from Chatwoot's side."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2

from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model
from smarteros.proving.chaos import Chaos
from smarteros.proving.chatwoot import Deliveries, Shop, transcript_of
from smarteros.proving.customers import Customers, Played
from smarteros.proving.fleet import EDGE, WORKERS, Fleet, running_sandbox, waited
from smarteros.proving.hunt import Hunter
from smarteros.proving.judge import Finding, Verdict, judge
from smarteros.proving.lures import Lures
from smarteros.proving.plan import Plan, make_plan
from smarteros.proving.report import Circumstances, ProofReport, report_of
from smarteros.proving.transcript import Transcript
from smarteros.proving.watch import Watch
from smarteros.reconcile.report import ReconcileReport
from smarteros.store.embedded import EmbeddedPostgres

_QUIET_WITHIN_S = 60.0
_RECONCILED_WITHIN_S = 120.0
# No turn waits or runs and no webhook is under way, for this long: nothing is coming any more.
_QUIET_FOR_S = 1.5
_LOOK_S = 0.2
_SECONDS_PER_TURN = 6.0
_LEAST_PLAY_S = 120.0
_NOT_FOUND = 404
_PROVISIONED_WITHIN_S = 120.0
_RECONCILE = "/api/v1/reconcile"

Tell = Callable[[str], None]


class Wanted(Model):
    """What is to be proven, and with how many conversations at a time."""

    turns: int
    kills: int
    seed: int
    at_once: int = 12


def prove(wanted: Wanted, tell: Tell, keep: Path | None = None) -> ProofReport:
    """Run one proof. ConfigError when the fleet itself could not be brought up; all processes are stopped."""
    started = time.monotonic()
    with _folder(keep) as data_dir, ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(data_dir / "postgres"))
        fleet = Fleet(data_dir, _environment())
        stack.callback(fleet.stop)
        urls = stack.enter_context(running_sandbox(data_dir / "sandbox"))
        stack.callback(fleet.stop)  # again, because it ends before what its turns need; repeating it does nothing
        shops, operator_token = _shops(data_dir, urls, fleet)
        for shop in shops.values():
            stack.callback(shop.close)
        watch = Watch(postgres.url())
        stack.callback(watch.close)
        deliveries = Deliveries(urls["control"])
        deliveries.start()
        stack.callback(deliveries.stop)
        keys = _start_fleet(fleet, watch)
        reconciles = _reconciles(fleet)
        plan = make_plan(wanted.seed, wanted.turns, wanted.kills, sorted(shops), with_drop=reconciles)
        customers = Customers(shops, plan, wanted.at_once)
        lures = Lures(customers, shops, urls["control"], plan.seed)
        stack.callback(lures.close)
        hunter = Hunter(
            fleet, watch, lambda turn: shops[turn.tenant_id].has_reply(turn.conversation_id, turn.marker), lures
        )
        chaos = Chaos(plan, fleet, watch, hunter, shops, keys, control_url=urls["control"], data_dir=data_dir)
        tell(f"{plan.turns} turns in {len(plan.scripts)} conversations, {len(plan.kills)} kills, seed {plan.seed}")
        complete = _play(customers, chaos, plan, tell)
        if reconciles:
            complete = _reconciled(fleet, sorted(shops), operator_token) and complete
        complete = _quiet(watch, deliveries) and complete
        verdicts, findings = _judge(customers.played, deliveries, chaos)
        circumstances = Circumstances(
            seed=plan.seed,
            turns=customers.turns,
            kills_by_moment=dict(chaos.kills),
            faults=dict(chaos.done),
            left_out=() if reconciles else (f"chatwoot.drop (the edge has no {_RECONCILE})",),
            complete=complete,
            max_takeover_s=round(max(chaos.takeovers_s, default=0.0), 2),
            duration_s=round(time.monotonic() - started, 1),
            waits_s=tuple(customers.waits_s),
            troubles=tuple(customers.troubles),
        )
        return report_of(verdicts, findings, circumstances)


def _play(customers: Customers, chaos: Chaos, plan: Plan, tell: Tell) -> bool:
    chaos.start()
    in_time = customers.play(max(_LEAST_PLAY_S, plan.turns * _SECONDS_PER_TURN), chaos.turn_began)
    tell("everything is said; waiting until it is quiet")
    chaos.finish()
    customers.end()
    return in_time and not customers.troubles


def _reconciled(fleet: Fleet, tenants: Sequence[str], operator_token: str) -> bool:
    """Have lost messages looked for until there are none; False when there is no end of them."""
    url, bearer = f"{fleet.edge_url}{_RECONCILE}", {"Authorization": f"Bearer {operator_token}"}

    def nothing_new(tenant_id: str) -> bool:
        answer = httpx2.post(url, params={"tenant_id": tenant_id}, headers=bearer, timeout=30.0, trust_env=False)
        if not answer.is_success:
            return False
        seen = ReconcileReport.model_validate_json(answer.content)
        return seen.outcome == "done" and not (seen.waiting or seen.postponed or seen.found.get("accepted"))

    return all(waited(lambda t=tenant_id: nothing_new(t), _RECONCILED_WITHIN_S, every_s=1.0) for tenant_id in tenants)


def _quiet(watch: Watch, deliveries: Deliveries) -> bool:
    since: list[float] = []

    def so() -> bool:
        if watch.unfinished() == 0 and deliveries.under_way == 0:
            since.append(time.monotonic())
        else:
            since.clear()
        return bool(since) and since[-1] - since[0] >= _QUIET_FOR_S

    return waited(so, _QUIET_WITHIN_S, every_s=_LOOK_S)


def _judge(played: list[Played], deliveries: Deliveries, chaos: Chaos) -> tuple[list[Verdict], list[Finding]]:
    verdicts = [judge(_transcript(each, deliveries, chaos)) for each in played]
    findings = [
        finding.model_copy(update={"near": chaos.near(finding.at)})
        for verdict in verdicts
        for finding in verdict.findings
    ]
    return verdicts, findings


def _transcript(played: Played, deliveries: Deliveries, chaos: Chaos) -> Transcript:
    return transcript_of(
        played.place,
        played.turn_of,
        played.turns,
        deliveries,
        acts=played.acts,
        slowed=chaos.slowed.get(played.place.shop.tenant_id, ()),
    )


def _shops(data_dir: Path, urls: dict[str, str], fleet: Fleet) -> tuple[dict[str, Shop], str]:
    """Make the sandbox's shops tenants, as the demo does; also returns the operator's token."""
    said = fleet.run(
        "smarteros.proving.provisioning:main",
        (str(data_dir), urls["control"], fleet.edge_url),
        _PROVISIONED_WITHIN_S,
    )
    if not said.startswith("{"):
        raise ConfigError("provisioning_failed", f"The shops could not be made tenants: {said}")
    told: dict[str, Any] = json.loads(said)
    listed: list[dict[str, Any]] = told["info"]["tenants"]
    shops = {str(shop["tenant_id"]): Shop(shop, urls["chatwoot"], str(told["bot_name"])) for shop in listed}
    return shops, str(told["operator_token"])


def _start_fleet(fleet: Fleet, watch: Watch) -> dict[str, int]:
    """Start all processes and return the workers' locks: each is the one that appears when its worker starts."""
    fleet.start(EDGE)
    keys: dict[str, int] = {}
    for name in WORKERS:
        fleet.start(name)
        fleet.wait_until_ready(name)
        keys[name] = next(iter(watch.worker_keys() - set(keys.values())))
    fleet.wait_until_ready(EDGE)
    return keys


def _reconciles(fleet: Fleet) -> bool:
    """Tell whether messages whose webhook was lost are looked for."""
    answer = httpx2.post(f"{fleet.edge_url}{_RECONCILE}", timeout=10.0, trust_env=False)
    return answer.status_code != _NOT_FOUND


def _environment() -> dict[str, str]:
    """Settings of whoever runs the proof must not reach into it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SMOS_")}


@contextmanager
def _folder(keep: Path | None) -> Generator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    folder = Path(tempfile.mkdtemp(prefix="smos-prove-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
