"""A proof is one only when everything was played and nothing was found."""

from __future__ import annotations

import pytest
from rich.console import Console

from smarteros.proving.judge import Verdict, judge
from smarteros.proving.report import Circumstances, ProofReport, report_of, show
from smarteros.proving.transcript import Entry, Transcript


def report(*verdicts: Verdict, complete: bool = True) -> ProofReport:
    circumstances = Circumstances(
        seed=7,
        turns=1,
        kills_by_moment={"worker.decide": 2, "edge.receive": 1},
        faults={"chatwoot.slow": 1},
        left_out=(),
        complete=complete,
        max_takeover_s=1.5,
        duration_s=9.0,
        waits_s=(0.3, 0.1, 0.2),
        troubles=(),
    )
    return report_of(verdicts, [finding for verdict in verdicts for finding in verdict.findings], circumstances)


def lost() -> Verdict:
    asked = Entry(id=1, kind="customer", text="¿Hola?", turn=1, at=1.0)
    return judge(Transcript(tenant_id="TENANT_DEMO", conversation_id=1, entries=(asked,)))


def test_nothing_found_is_proven() -> None:
    assert report(Verdict(customer_messages=1, replies=1)).proven


def test_one_lost_message_is_enough_to_fail() -> None:
    assert report(lost()).lost == 1
    assert not report(lost()).proven


def test_what_was_not_played_to_the_end_is_not_proven() -> None:
    assert not report(complete=False).proven


@pytest.mark.parametrize(
    ("bursts", "two", "proven"),
    [(200, 0, True), (200, 1, True), (200, 2, False), (60, 1, True), (60, 2, False), (2000, 19, True)],
)
def test_fewer_than_one_burst_in_a_hundred_has_two_replies_and_one_alone_proves_nothing(
    bursts: int, two: int, proven: bool
) -> None:
    assert report(Verdict(bursts=bursts, two_replies=two)).proven is proven


def test_kills_are_counted_over_all_moments_and_waits_by_their_rank() -> None:
    seen = report()

    assert (seen.kills, seen.wait_p50_s, seen.wait_p95_s) == (3, 0.2, 0.3)


def test_a_reader_sees_the_verdict_the_seed_and_the_conversation() -> None:
    console = Console(width=120)
    with console.capture() as captured:
        show(report(lost()), console)

    said = captured.get()
    assert "seed 7" in said
    assert "¿Hola?" in said
    assert "NOT proven" in said
