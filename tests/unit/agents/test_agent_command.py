"""``smos agent decide``: one Decision per line, in order."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.agents.talk import SCOPE, Talk
from typer.testing import CliRunner

from smarteros.cli.agent import app
from smarteros.domain.errors import RejectedInputError


@pytest.fixture
def runner(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    tenant = SimpleNamespace(tenant_id=SCOPE.tenant_id)

    def tenant_of(_tenant_id: str) -> SimpleNamespace:
        return tenant

    @contextmanager
    def services(_settings: object) -> Generator[SimpleNamespace]:
        agent = SimpleNamespace(native=talk.agent, prepare=talk.agent.prepare, decide=talk.agent.decide)
        yield SimpleNamespace(agent=agent, tenants=SimpleNamespace(get=tenant_of))

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    return CliRunner()


def test_each_line_gives_one_decision_in_order(runner: CliRunner):
    lines = '{"text": "¿a qué hora abren?"}\n\n{"text": "where are you?", "language": "en"}\n'
    result = runner.invoke(app, ["decide", "--tenant", SCOPE.tenant_id, "--jsonl", "-"], input=lines)
    assert result.exit_code == 0
    assert [json.loads(line)["intent"] for line in result.stdout.splitlines()] == ["faq_hours", "faq_address"]


def test_a_file_is_read_as_utf8(runner: CliRunner, tmp_path: Path):
    path = tmp_path / "questions.jsonl"
    path.write_text('{"text": "¿dónde están?", "history": ["hola"]}\n', "utf-8")
    result = runner.invoke(app, ["decide", "--tenant", SCOPE.tenant_id, "--jsonl", str(path)])
    assert json.loads(result.stdout)["intent"] == "faq_address"


@pytest.mark.parametrize(
    ("line", "reason"),
    [("{", "not JSON"), ('{"txt": "hola"}', "text: Field required"), ("[]", "the line: Input should be")],
)
def test_a_bad_line_is_named_by_its_number(runner: CliRunner, line: str, reason: str):
    lines = f'{{"text": "hola"}}\n{line}\n'
    result = runner.invoke(app, ["decide", "--tenant", SCOPE.tenant_id, "--jsonl", "-"], input=lines)
    assert result.exit_code == 1
    assert isinstance(result.exception, RejectedInputError)
    assert f"line 2: {reason}" in str(result.exception)
