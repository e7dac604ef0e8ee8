"""The month's report on one page, to be sent to the shop."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from fpdf import FPDF

from smarteros.domain.availability import percent
from smarteros.domain.errors import ConfigError
from smarteros.health.report import SlaReport
from smarteros.kit.clock import in_santiago

_MOST_OUTAGES = 25
_LATIN = "latin-1"


def write_pdf(report: SlaReport, file: Path) -> None:
    """Write the report as PDF with real text. ConfigError(code ``report_unwritable``) when the file cannot be."""
    page = FPDF(format="A4")
    page.set_title(f"SLA {report.tenant_id} {report.month}")
    page.set_auto_page_break(auto=True, margin=18)
    page.add_page()
    _line(page, f"{report.name}: service level {report.month}", size=18, bold=True, gap=10)
    _line(page, f"{report.tenant_id}, {_when(report.begins_at)} to {_when(report.until)} (Chile)", gap=8)
    _line(page, f"Objective {percent(report.objective)}: {verdict(report)}", size=13, bold=True, gap=10)
    for sentence in report.arithmetic:
        _line(page, sentence, gap=6)
    _heading(page, "Services")
    with page.table(col_widths=(30, 25, 15, 30), text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT")) as table:
        table.row(("service", "availability", "probes", "min down / unknown"))
        for each in report.services:
            seen = each.availability
            ratio = "unknown" if seen.ratio is None else percent(seen.ratio)
            down = f"{seen.down_s / 60:.1f} / {seen.unknown_s / 60:.1f}"
            table.row((each.service + ("" if each.ours else " (not ours)"), ratio, str(each.probes), down))
    _heading(page, f"Outages: {len(report.outages)}")
    for outage in report.outages[:_MOST_OUTAGES]:
        _line(page, f"{_when(outage.began_at)} to {_when(outage.ended_at)}: {outage.seconds / 60:.1f} min", gap=5)
    if len(report.outages) > _MOST_OUTAGES:
        _line(page, f"and {len(report.outages) - _MOST_OUTAGES} more; all of them with --json", gap=5)
    try:
        page.output(str(file))
    except OSError as error:
        raise ConfigError("report_unwritable", f"{file} cannot be written: {error.strerror}.") from error


def verdict(report: SlaReport) -> str:
    """Say in words whether the objective was kept."""
    return {True: "kept", False: "not kept", None: "nothing is known"}[report.kept]


def _heading(page: FPDF, text: str) -> None:
    page.ln(4)
    _line(page, text, size=13, bold=True, gap=8)


def _line(page: FPDF, text: str, *, gap: float, size: int = 10, bold: bool = False) -> None:
    page.set_font("Helvetica", style="B" if bold else "", size=size)
    # The fonts every reader has know Spanish, and nothing beyond Latin-1.
    page.multi_cell(0, gap, text.encode(_LATIN, "replace").decode(_LATIN), new_x="LMARGIN", new_y="NEXT")
    page.set_font("Helvetica", size=10)


def _when(instant: datetime) -> str:
    return f"{in_santiago(instant):%Y-%m-%d %H:%M}"
