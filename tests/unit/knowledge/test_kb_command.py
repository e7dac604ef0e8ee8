"""``smos kb``: import, list, search."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
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
        agent = SimpleNamespace(category_priors=lambda *_: None, prepare=lambda _: None)
        yield SimpleNamespace(knowledge=base, tenants=SimpleNamespace(get=tenant_of), agent=agent)

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


FAQ = [{"pregunta": "¿Puedo devolver?", "respuesta": "Tienes 30 días para devolver."}]
OTHER_FAQ = [{"pregunta": "¿Hay plazo para cambios?", "respuesta": "Hay 15 días para cambios."}]


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None, result.exception
    return result


def written(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_merging_keeps_the_other_documents_and_replacing_does_not(
    knowledge: EmbeddedKnowledgeBase, folder: Path, tmp_path: Path
):
    faq = written(tmp_path / "faq.json", FAQ)
    run("import", "--tenant", "TENANT_A", folder / "pago.md")
    run("import", "--tenant", "TENANT_A", faq, "--merge")
    assert [d.name for d in knowledge.documents(SCOPE)] == ["pago.md", "faq.json"]
    run("import", "--tenant", "TENANT_A", faq, "--replace")
    assert [d.name for d in knowledge.documents(SCOPE)] == ["faq.json"]


def test_an_import_reports_what_changed_and_what_contradicts(knowledge: EmbeddedKnowledgeBase, tmp_path: Path):
    run("import", "--tenant", "TENANT_A", written(tmp_path / "a.json", FAQ))
    second = run("import", "--tenant", "TENANT_A", written(tmp_path / "b.json", OTHER_FAQ), "--merge", "--json")
    report = json.loads(second.stdout)
    assert (report["documents"], report["passages"]) == (1, 2)
    assert report["changes"] == {"added": 1, "changed": 0, "removed": 0}
    assert [finding["kind"] for finding in report["findings"]] == ["conflict"]
    assert "! conflict: a.json: ¿Puedo devolver?" in run("list", "--tenant", "TENANT_A").stdout
    listed = json.loads(run("list", "--tenant", "TENANT_A", "--json").stdout)
    assert [(d["name"], d["passages"], len(d["findings"])) for d in listed] == [("a.json", 1, 1), ("b.json", 1, 1)]


def test_diff_shows_what_an_import_would_change_and_changes_nothing(knowledge: EmbeddedKnowledgeBase, tmp_path: Path):
    faq = written(tmp_path / "faq.json", FAQ)
    run("import", "--tenant", "TENANT_A", faq)
    assert run("diff", "--tenant", "TENANT_A", faq).stdout == "no change\n"
    changed = [{**FAQ[0], "respuesta": "Tienes 20 días para devolver."}, *OTHER_FAQ]
    shown = run("diff", "--tenant", "TENANT_A", written(tmp_path / "faq.json", changed)).stdout
    assert "~ faq.json: ¿Puedo devolver? (text)" in shown
    assert "- Tienes 30 días" in shown
    assert "+ faq.json: ¿Hay plazo para cambios?" in shown
    other = run("diff", "--tenant", "TENANT_A", written(tmp_path / "otra.json", OTHER_FAQ), "--json").stdout
    assert json.loads(other)["counts"] == {"added": 1, "changed": 0, "removed": 1}
    assert knowledge.search(SCOPE, "devolver")[0].passage.text == "Tienes 30 días para devolver."


def test_versions_are_listed_and_gone_back_to(knowledge: EmbeddedKnowledgeBase, tmp_path: Path):
    run("import", "--tenant", "TENANT_A", written(tmp_path / "uno.json", FAQ))
    run("import", "--tenant", "TENANT_A", written(tmp_path / "dos.json", OTHER_FAQ))
    listed = json.loads(run("versions", "--tenant", "TENANT_A", "--json").stdout)
    assert [(v["revision"], v["note"], v["current"]) for v in listed] == [(2, "dos.json", True), (1, "uno.json", False)]
    run("rollback", "--tenant", "TENANT_A")
    assert [d.name for d in knowledge.documents(SCOPE)] == ["uno.json"]
    run("rollback", "--tenant", "TENANT_A", "2")
    assert [d.name for d in knowledge.documents(SCOPE)] == ["dos.json"]
    missing = CliRunner().invoke(app, ["rollback", "--tenant", "TENANT_A", "99"])
    assert isinstance(missing.exception, RejectedInputError)


def test_a_test_file_gives_recall(knowledge: EmbeddedKnowledgeBase, tmp_path: Path):
    run("import", "--tenant", "TENANT_A", written(tmp_path / "faq.json", FAQ + OTHER_FAQ))
    asked = written(
        tmp_path / "q.jsonl",
        '{"question": "puedo devolver algo", "expected": "¿Puedo devolver?"}\n'
        '{"question": "puedo devolver algo", "contains": "15 días"}\n',
    )
    assert "2 questions  recall@1 0.500  recall@5 1.000" in run("test", "--tenant", "TENANT_A", asked).stdout
    report = json.loads(run("test", "--tenant", "TENANT_A", asked, "--json").stdout)
    assert (report["recall_at_1"], report["recall_at_5"]) == (0.5, 1.0)
    assert report["missed"][0]["place"] == 2
