"""What a proof found, as JSON and for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from smarteros.domain.model import Model
from smarteros.proving.judge import CHARGES, Finding, Verdict, count

_MOST_TWO_REPLIES = 0.01
_SHOWN = 5


class ProofReport(Model):
    """The result of one run. The five counts and ``two_reply_rate`` are what the promise is about."""

    seed: int
    turns: int
    kills: int
    lost: int
    doubled: int
    out_of_order: int
    after_human: int
    superseded_sent: int
    two_replies: int = 0
    two_reply_rate: float
    max_takeover_s: float
    duration_s: float
    # Everything was played, and it was quiet before it was counted.
    complete: bool
    kills_by_moment: dict[str, int]
    faults: dict[str, int]
    left_out: tuple[str, ...] = ()
    conversations: int
    customer_messages: int
    replies: int
    bursts: int
    # Replies that came less than a request's length after a person's first sign; see ``judge``.
    raced: int
    # Messages people had to answer: handed over by the bot; opened by Chatwoot while no edge took its webhook.
    handed: int
    outage: int
    wait_p50_s: float
    wait_p95_s: float
    troubles: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether the promise held."""
        zeros = not any((self.lost, self.doubled, self.out_of_order, self.after_human, self.superseded_sent))
        return self.complete and zeros and self.seldom_two

    @property
    def seldom_two(self) -> bool:
        """Whether fewer than 1 % of the bursts got two replies; a single one says nothing about so small a share."""
        return self.two_replies <= 1 or self.two_reply_rate < _MOST_TWO_REPLIES


class Circumstances(Model):
    """What the counts do not say: what was done to the fleet, and how long it took."""

    seed: int
    turns: int
    kills_by_moment: dict[str, int]
    faults: dict[str, int]
    left_out: tuple[str, ...]
    complete: bool
    max_takeover_s: float
    duration_s: float
    waits_s: tuple[float, ...]
    troubles: tuple[str, ...]


def report_of(verdicts: Sequence[Verdict], findings: Sequence[Finding], circumstances: Circumstances) -> ProofReport:
    """Sum the verdicts up."""
    bursts, two = sum(v.bursts for v in verdicts), sum(v.two_replies for v in verdicts)
    waits = sorted(circumstances.waits_s)
    return ProofReport(
        **circumstances.model_dump(exclude={"waits_s"}),
        **count(findings),
        kills=sum(circumstances.kills_by_moment.values()),
        two_replies=two,
        two_reply_rate=round(two / bursts, 4) if bursts else 0.0,
        conversations=len(verdicts),
        customer_messages=sum(v.customer_messages for v in verdicts),
        replies=sum(v.replies for v in verdicts),
        bursts=bursts,
        raced=sum(v.raced for v in verdicts),
        handed=sum(v.handed for v in verdicts),
        outage=sum(v.outage for v in verdicts),
        wait_p50_s=_quantile(waits, 0.5),
        wait_p95_s=_quantile(waits, 0.95),
        findings=tuple(findings),
    )


def show(report: ProofReport, console: Console) -> None:
    """Print the table, then the first findings with their conversations."""
    table = Table(title=f"smos prove, seed {report.seed}", box=None, header_style="dim", title_justify="left")
    table.add_column("what")
    table.add_column("count", justify="right")
    for name, value in _rows(report):
        table.add_row(name, value)
    console.print(table)
    for finding in report.findings[:_SHOWN]:
        _show_finding(finding, console)
    if len(report.findings) > _SHOWN:
        console.print(f"… and {len(report.findings) - _SHOWN} more; --json has them all.")
    console.print("proven" if report.proven else "NOT proven", style="bold green" if report.proven else "bold red")


def _rows(report: ProofReport) -> list[tuple[str, str]]:
    guilty = [(charge.replace("_", " "), str(getattr(report, charge))) for charge in CHARGES]
    return [
        ("turns", str(report.turns)),
        ("kills", f"{report.kills} ({_counts(report.kills_by_moment)})"),
        ("faults", f"{sum(report.faults.values())} ({_counts(report.faults)})"),
        ("left out", ", ".join(report.left_out) or "nothing"),
        ("conversations", str(report.conversations)),
        ("customer messages / replies", f"{report.customer_messages} / {report.replies}"),
        *guilty,
        ("two replies to a burst", f"{report.two_reply_rate:.2%} of {report.bursts}"),
        ("lost a race against a person", str(report.raced)),
        ("handed to people by the bot", str(report.handed)),
        ("opened by Chatwoot in an outage", str(report.outage)),
        ("longest take-over", f"{report.max_takeover_s:.1f} s"),
        ("wait for a reply, p50 / p95", f"{report.wait_p50_s:.1f} / {report.wait_p95_s:.1f} s"),
        ("duration", f"{report.duration_s:.0f} s"),
        ("complete", "yes" if report.complete else "no"),
        *(("trouble", trouble) for trouble in report.troubles),
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def _show_finding(finding: Finding, console: Console) -> None:
    where = f"{finding.tenant_id} conversation {finding.conversation_id} message {finding.message_id}"
    console.print(f"\n[bold]{finding.charge}[/bold] {escape(where)}: {escape(finding.what)}")
    for line in finding.transcript:
        console.print(f"  {line}", markup=False, highlight=False)
    for line in finding.near:
        console.print(f"  ~ {line}", markup=False, highlight=False, style="dim")


def _quantile(values: Sequence[float], share: float) -> float:
    return round(values[min(len(values) - 1, int(share * len(values)))], 2) if values else 0.0
