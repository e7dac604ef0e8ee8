"""``smos agent eval``: how well labelled messages are understood."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarteros.cli.jsonl import read_lines
from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.domain.errors import RejectedInputError

if TYPE_CHECKING:
    from smarteros.agents.evaluation.model import EvaluationReport


def evaluate(
    tenant: Annotated[str, typer.Option(help="Tenant whose brain is asked.")],
    jsonl: Annotated[
        typer.FileText,
        typer.Option(
            encoding="utf-8",
            errors="surrogateescape",
            help='File of {"text", "intent", "language"?, "history"?, "in_scope"?} lines; - for standard input.',
        ),
    ],
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option(help="Directory for the report and its pictures.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Ask the agent labelled messages and print how well it understands them.

    Accuracy, precision, recall and F1 by intent, confusion matrix, calibration, what each threshold would answer,
    what is none of the shop's matters, languages, CPU and memory. Nothing is sent or stored.
    """
    from smarteros.agents.evaluation.asking import answers_to, resident_mb
    from smarteros.agents.evaluation.measures import evaluate as evaluated
    from smarteros.agents.evaluation.model import LabelledLine
    from smarteros.agents.evaluation.tables import in_words
    from smarteros.bootstrap import open_services

    lines: Iterable[str] = jsonl
    labelled = list(read_lines(lines, LabelledLine))
    if not labelled:
        raise RejectedInputError("jsonl_empty", "There is no message in the file")
    with open_services(settings_with(data_dir)) as services:
        tenant_id = services.tenants.get(tenant).tenant_id
        services.agent.prepare(tenant_id)
        report = evaluated(answers_to(services.agent, tenant_id, labelled), rss_mb=resident_mb())
    if out is not None:
        write_report(report, out)
    typer.echo(report.model_dump_json() if as_json else in_words(report))


def write_report(report: EvaluationReport, folder: Path) -> None:
    """Write ``report.json``, ``calibration.svg`` and ``thresholds.svg`` into a folder, which is made if need be."""
    from smarteros.agents.evaluation.pictures import calibration_svg, curve_svg

    files = {
        "report.json": report.model_dump_json(indent=2) + "\n",
        "calibration.svg": calibration_svg(report.bins, "Calibration"),
        "thresholds.svg": curve_svg(report.curve, "What each threshold answers"),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise RejectedInputError("out_unwritable", f"{folder}: {error.strerror}") from error
