"""``smos agent train``: learn from the conversations that took place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarteros.cli.agent_training import training
from smarteros.cli.jsonl import read_file
from smarteros.cli.options import AsJson, DataDir, duration
from smarteros.domain.errors import RejectedInputError, SmosError
from smarteros.domain.examples import PeopleSaid, Proposal, TrainingReport
from smarteros.kit.exported_json import inert

if TYPE_CHECKING:
    from smarteros.agents.training.learning import Learner
    from smarteros.bootstrap import Services
    from smarteros.domain.tenants import Tenant

_LONGEST = timedelta(days=365)
_MOST_ASKED = 200  # conversations of which Chatwoot is asked what people did, the newest first
_LARGEST_REVIEW_BYTES = 5_000_000


def train(
    tenant: Annotated[str, typer.Option(help="Tenant whose brain learns.")],
    from_conversations: Annotated[
        bool, typer.Option("--from-conversations", help="Look through the recorded conversations.")
    ] = False,
    since: Annotated[str, typer.Option(help="How far to look back: 12h, 30d.")] = "30d",
    review: Annotated[
        Path | None,
        typer.Option(help="With --from-conversations the file is written and nothing learnt; else it is learnt from."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Learn from conversations: what customers chose, what people corrected, what was answered well.

    Without --review all at once. With it in two steps: `train --from-conversations --review FILE` writes what was
    found, one JSON line each; set "accepted" to true or false, change "intent", add lines; `train --review FILE`
    learns from it. A new version is activated only if unseen messages are understood better and nothing is spoilt;
    `smos agent models rollback` goes back. Exit code 1 when something was to be learnt and was not.
    """
    if not from_conversations and review is None:
        raise typer.BadParameter("give --from-conversations, --review FILE, or both")
    back = duration(since, option="--since", at_most=_LONGEST)
    read = _reviewed(review) if review is not None and not from_conversations else None
    with training(tenant, data_dir) as (services, scope):
        learner = _learner(services)
        if read is None:
            read = learner.proposals(scope, _found(services, services.tenants.get(tenant), datetime.now(UTC) - back))
            if review is not None:
                _write(review, read)
                typer.echo(f"{len(read)} proposals in {review}; {sum(p.accepted is None for p in read)} undecided")
                return
        report = learner.learn(scope, read, note=f"train, {review or f'conversations of {since}'}")
    typer.echo(report.model_dump_json() if as_json else "\n".join(_in_words(report)))
    if report.accepted and report.activated is None:
        raise typer.Exit(1)


def _learner(services: Services) -> Learner:
    from smarteros.agents.training.learning import Learner
    from smarteros.agents.training.titles import titles_of

    return Learner(services.examples, services.agent.native.shared_model, titles_of(services.knowledge))


def _found(services: Services, tenant: Tenant, since: datetime) -> tuple[Proposal, ...]:
    from smarteros.agents.training.conversations import conversations_with_people, proposals_of
    from smarteros.store.turn_inputs import recorded_since

    with services.database.tenant(tenant.scope) as connection:
        turns = list(recorded_since(connection, tenant.tenant_id, since))
    accounts = {t.record.conversation_id: t.inputs.start.account_id for t in turns if t.inputs is not None}
    people = _people(services, tenant, {c: accounts[c] for c in conversations_with_people(turns) if c in accounts})
    return proposals_of(turns, people, now=datetime.now(UTC))


def _people(services: Services, tenant: Tenant, accounts: dict[int, int]) -> dict[int, PeopleSaid]:
    """Ask the channel what people did; without its token, or while it is away, our own records have to do."""
    from smarteros.channels.chatwoot.history import ChatwootHistory

    history = ChatwootHistory(services.http, services.secrets)
    if not history.allowed(tenant):
        return {}
    found: dict[int, PeopleSaid] = {}
    for conversation in sorted(accounts, reverse=True)[:_MOST_ASKED]:
        try:
            found[conversation] = history.of_people(tenant, accounts[conversation], conversation)
        except SmosError as error:
            typer.echo(f"conversation {conversation}: {error.operator_message}", err=True)
    return found


def _reviewed(path: Path) -> tuple[Proposal, ...]:
    return tuple(read_file(path, Proposal, most_bytes=_LARGEST_REVIEW_BYTES, code="review_invalid"))


def _write(path: Path, proposals: Iterable[Proposal]) -> None:
    try:
        path.write_text("".join(f"{inert(each.model_dump_json())}\n" for each in proposals), "utf-8")
    except OSError as error:
        raise RejectedInputError("review_unwritable", f"{path}: {error.strerror}") from error


def _in_words(report: TrainingReport) -> list[str]:
    found = ", ".join(f"{count} {source}" for source, count in sorted(report.proposed.items())) or "nothing"
    lines = [f"found: {found}; accepted: {report.accepted}"]
    if report.held_out:
        lines.append(
            f"unseen messages understood: {report.right_before} of {report.held_out} before, {report.right_after} after"
        )
    for intent, change in report.intents.items():
        lines.append(f"  {intent:22} {change.before:3} -> {change.after:3} of {change.examples}")
    for flip in report.flips:
        lines.append(f"  {flip.before} -> {flip.after}: {flip.text}")
    for each in report.contradicted:
        lines.append(f"  labelled {each.intent}, surely {each.before}: {each.text}")
    if report.activated is not None:
        lines.append(f"version {report.activated} is active; back with: smos agent models rollback")
    else:
        lines.append(f"not activated: {report.reason}")
    return lines
