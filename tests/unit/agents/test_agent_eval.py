"""``smos agent eval``: the figures are right, the pictures are drawn, and no line of the file can break it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.agents.talk import SCOPE, Talk
from typer.testing import CliRunner, Result

from smarteros.agents.evaluation.measures import auroc, evaluate
from smarteros.agents.evaluation.model import Answered, LabelledLine
from smarteros.cli.agent import app
from smarteros.domain.decisions import ROUTE_OF_INTENT, Candidate, Decision, Intent
from smarteros.domain.errors import RejectedInputError

LINES = (
    '{"text": "¿a qué hora abren?", "intent": "faq_schedule"}\n'
    '{"text": "where are you?", "intent": "faq_address", "language": "en"}\n\n'
    '{"text": "¿y el sábado?", "intent": "faq_hours", "history": ["¿a qué hora abren?"]}\n'
    '{"text": "quién ganó el partido", "intent": "out_of_scope", "in_scope": false}\n'
)


@pytest.fixture
def runner(wordy_talk: Talk, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    tenants = SimpleNamespace(get=lambda _id: SimpleNamespace(tenant_id=SCOPE.tenant_id))

    @contextmanager
    def services(_settings: object) -> Generator[SimpleNamespace]:
        yield SimpleNamespace(agent=wordy_talk.agent, tenants=tenants)

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    return CliRunner()


def run(runner: CliRunner, lines: str, *options: str) -> Result:
    return runner.invoke(app, ["eval", "--tenant", SCOPE.tenant_id, "--jsonl", "-", *options], input=lines)


def answered(intent: Intent, said: Intent, confidence: float, *, best: Intent | None = None) -> Answered:
    candidates = (Candidate(intent=best, probability=confidence),) if best else ()
    decision = Decision(intent=said, confidence=confidence, route=ROUTE_OF_INTENT[said], candidates=candidates)
    in_scope = intent not in {"ambiguous", "out_of_scope"}
    return Answered(text="x", intent=intent, language="es", in_scope=in_scope, decision=decision, milliseconds=2.0)


def test_the_report_tells_everything_about_the_file(runner: CliRunner):
    report = json.loads(run(runner, LINES, "--json").stdout)
    assert (report["messages"], report["accuracy"]) == (4, 1.0)
    assert report["intents"]["faq_hours"]["messages"] == 2
    assert report["confusion"]["out_of_scope"] == {"out_of_scope": 1}
    assert (report["scope_auroc"], report["answered_out_of_scope"]) == (1.0, 0.0)
    assert report["languages"] == {"en": 1.0, "es": 1.0}
    assert report["rss_mb"] > 0
    text = run(runner, LINES).stdout
    assert "4 messages; intent right 100.0%" in text
    assert "| faq_hours | 2 | 1.00 | 1.00 | 1.00 |" in text


def test_the_pictures_are_well_formed(runner: CliRunner, tmp_path: Path):
    out = tmp_path / "new" / "folder"
    assert run(runner, LINES, "--out", str(out)).exit_code == 0
    for name in ("calibration.svg", "thresholds.svg"):
        picture = ET.parse(out / name).getroot()
        assert picture.tag.endswith("svg")
        assert len(picture.findall(".//{*}circle")) > 0
    assert json.loads((out / "report.json").read_text("utf-8"))["messages"] == 4


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("null", "the line:"),
        ("[" * 90_000, "n"),
        ('{"text": "a"}', "intent: Field required"),
        ('{"text": "a", "intent": "faq_everything"}', "intent: Input should be"),
        ('{"text": 3, "intent": "greeting"}', "text: Input should be a valid string"),
        ('{"text": "\\ud800", "intent": "greeting"}', "text:"),
        ('{"text": "a", "intent": "greeting", "language": "de"}', "language: Input should be"),
        ('{"text": "a", "intent": "greeting", "history": "hola"}', "history: Input should be"),
        ('{"text": "a", "intent": "greeting", "surprise": 1}', "surprise: Extra inputs"),
        (f'{{"text": {"9" * 5000}, "intent": "greeting"}}', "not JSON"),
        ('{"text": "%s", "intent": "greeting"}' % ("a" * 250_000), "longer than"),
    ],
)
def test_a_hostile_line_is_named_by_its_number(runner: CliRunner, line: str, reason: str):
    result = run(runner, f'{{"text": "hola", "intent": "greeting"}}\n{line}\n')
    assert isinstance(result.exception, RejectedInputError)
    assert f"line 2: {reason}" in str(result.exception)


def test_an_empty_file_is_refused(runner: CliRunner):
    assert isinstance(run(runner, "\n\n").exception, RejectedInputError)


def test_what_is_claimed_with_a_confidence_is_the_intent_in_scope():
    report = evaluate(
        [
            answered("faq_hours", "faq_hours", 0.95),
            answered("faq_hours", "faq_hours", 0.95),
            answered("faq_hours", "faq_address", 0.95),
            answered("greeting", "ambiguous", 0.45, best="greeting"),
        ]
    )
    assert [(b.messages, b.confidence, b.accuracy) for b in report.bins] == [(1, 0.45, 1.0), (3, 0.95, 0.6667)]
    assert report.ece == pytest.approx((0.55 + 3 * (0.95 - 2 / 3)) / 4, abs=1e-3)
    assert report.accuracy == 0.5
    assert report.intents["faq_hours"].recall == pytest.approx(2 / 3, abs=1e-3)
    assert report.macro_f1 == pytest.approx((0.8 + 0.0) / 2, abs=1e-3)
    assert [(p.coverage, p.precision) for p in report.curve if p.threshold == 0.8] == [(0.75, 0.6667)]


def test_what_is_answered_though_it_is_none_of_the_shops_matters_is_counted():
    report = evaluate([answered("out_of_scope", "faq_hours", 0.9), answered("out_of_scope", "faq_hours", 0.7)])
    assert report.answered_out_of_scope == 0.5
    assert report.scope_auroc is None


def test_ties_count_half():
    assert auroc([0.9, 0.5], [0.5, 0.1]) == pytest.approx(3.5 / 4)
    assert auroc([], [0.1]) is None


def test_the_finer_names_of_others_are_understood():
    assert LabelledLine.model_validate({"text": "a", "intent": "faq_refunds"}).intent == "faq_returns"
