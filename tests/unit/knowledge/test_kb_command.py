"""``smos kb``: import, list, search."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from smarteros.cli.kb import app
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import TenantScope
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore

SCOPE = TenantScope(tenant_id="TENANT_A")


@pytest.fixture
def knowledge(monkeypatch: pytest.MonkeyPatch) -> EmbeddedKnowledgeBase:
    base = EmbeddedKnowledgeBase(MemoryDocumentStore())

    def tenant_of(tenant_id: str) -> SimpleNamespace:
        return SimpleNamespace(scope=TenantScope(tenant_id=tenant_id))

    @contextmanager
    def services(_settings: object) -> Generator[SimpleNamespace]:
        yield SimpleNamespace(knowledge=base, tenants=SimpleNamespace(get=tenant_of))

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    return base


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pago.md").write_text("---\ncategory: pago\n---\n# Pago\n## ¿Cómo se paga?\nCon débito.\n", "utf-8")
    (tmp_path / "otros.md").write_text("# Historia\nAbrimos en 1984.\n", "utf-8")
    (tmp_path / "notas.txt").write_text("no", "utf-8")
    return tmp_path


def test_a_folder_is_imported_listed_and_searched(knowledge: EmbeddedKnowledgeBase, folder: Path):
    runner = CliRunner()
    imported = runner.invoke(app, ["import", "--tenant", "TENANT_A", str(folder)])
    assert imported.stdout == "2 documents, 2 passages\n"
    listed = runner.invoke(app, ["list", "--tenant", "TENANT_A"])
    assert "pago.md\tpago\tes\tPago" in listed.stdout.splitlines()
    found = runner.invoke(app, ["search", "--tenant", "TENANT_A", "puedo pagar", "--json"])
    assert json.loads(found.stdout)[0]["passage"]["text"] == "Con débito."


def test_another_tenant_sees_nothing_of_it(knowledge: EmbeddedKnowledgeBase, folder: Path):
    runner = CliRunner()
    runner.invoke(app, ["import", "--tenant", "TENANT_A", str(folder)])
    assert json.loads(runner.invoke(app, ["list", "--tenant", "TENANT_B", "--json"]).stdout) == []


def test_one_bad_file_and_nothing_is_imported(knowledge: EmbeddedKnowledgeBase, folder: Path):
    (folder / "zmala.md").write_text("---\ncategory: nada\n---\n", "utf-8")
    result = CliRunner().invoke(app, ["import", "--tenant", "TENANT_A", str(folder)])
    assert isinstance(result.exception, RejectedInputError)
    assert "zmala.md" in str(result.exception)
    assert knowledge.documents(SCOPE) == ()


@pytest.mark.parametrize("name", ["nada.md", "."])
def test_paths_without_documents_are_named(knowledge: EmbeddedKnowledgeBase, tmp_path: Path, name: str):
    result = CliRunner().invoke(app, ["import", "--tenant", "TENANT_A", str(tmp_path / name)])
    assert isinstance(result.exception, RejectedInputError)
