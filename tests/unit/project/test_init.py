"""``smos init`` and the project directory it makes."""

from __future__ import annotations

import json
import re
import shlex
import stat
from pathlib import Path

import pytest
import typer
from cryptography.fernet import Fernet
from pydantic_settings import BaseSettings
from tests.generated import ROOT
from typer.testing import CliRunner, Result

from smarteros.alerts.settings import AlertSettings
from smarteros.cli.main import app
from smarteros.contracts.lint import lint
from smarteros.demo import stack as demo_stack
from smarteros.domain.errors import ConfigError
from smarteros.knowledge.markdown import parse_markdown
from smarteros.project.making import TEMPLATE, make_project
from smarteros.settings import Settings


def smos(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, and we are in it."""
    directory = tmp_path / "tiendas"
    make_project(directory)
    monkeypatch.chdir(directory)
    monkeypatch.delenv("SMOS_DATA_DIR", raising=False)
    return directory


def test_a_new_project_has_everything_and_its_contracts_are_ours(tmp_path: Path) -> None:
    made = smos("init", tmp_path / "tiendas")
    assert made.exit_code == 0
    assert "created         .env\n" in made.stdout
    for name in (".env", ".gitignore", "README.md", "kb/horarios.md", "contracts/contract.schema.json"):
        assert (tmp_path / "tiendas" / name).is_file()
    ours = {path.name: path.read_bytes() for path in (ROOT / "contracts").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "tiendas/contracts").iterdir()} == ours
    assert lint([tmp_path / "tiendas" / "contracts"]) == []


def test_its_keys_are_new_usable_and_read_by_their_owner_only(project: Path, tmp_path: Path) -> None:
    settings = Settings()
    assert settings.secrets_key and settings.audit_key and settings.operator_token
    keys = [key.get_secret_value() for key in (settings.secrets_key, settings.audit_key)]
    assert Fernet(keys[0]) and Fernet(keys[1])
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
    assert ".env" in (project / ".gitignore").read_text().split()
    make_project(tmp_path / "another")
    text = (tmp_path / "another" / ".env").read_text()
    assert not any(key in text for key in (*keys, settings.operator_token.get_secret_value()))


def test_done_again_it_changes_no_file_adds_what_is_missing_and_says_so(project: Path) -> None:
    (project / "kb/pago.md").write_text("# Nuestros medios de pago\n")
    (project / "kb/envios.md").unlink()
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    again = smos("init", project, "--json")
    states = {file["path"]: file["state"] for file in json.loads(again.stdout)["files"]}
    assert again.exit_code == 0
    assert {path: path.read_bytes() for path in before} == before
    assert states.pop("kb/envios.md") == "created"
    assert states.pop("kb/pago.md") == states.pop(".env") == "kept"
    assert set(states.values()) == {"unchanged"}


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (tmp_path / "tiendas").mkdir()
    (tmp_path / "tiendas" / ".env").symlink_to(outside)
    states = {file.path: file.state for file in make_project(tmp_path / "tiendas")}
    assert states[".env"] == "kept"
    assert not outside.exists()


def test_what_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"Cannot make the project: .*/file: "):
        make_project(tmp_path / "file")


def test_every_setting_it_names_exists(project: Path) -> None:
    def names(model: type[BaseSettings]) -> set[str]:
        return {f"{model.model_config.get('env_prefix', '')}{field}".upper() for field in model.model_fields}

    named = set(re.findall(r"^#?(SMOS_\w+)=", (project / ".env").read_text(), re.M))
    assert named <= names(Settings) | names(AlertSettings)
    # Whatever an operator must set or is told to keep; that they are all there is what the file is for.
    assert named >= {
        "SMOS_PUBLIC_URL",
        "SMOS_SECRETS_KEY",
        "SMOS_AUDIT_KEY",
        "SMOS_OPERATOR_TOKEN",
        "SMOS_DATABASE_URL",
    }


def test_every_setting_it_shows_is_accepted_when_its_mark_is_taken_away(project: Path) -> None:
    text = (project / ".env").read_text()
    (project / ".env").write_text(re.sub(r"^#(SMOS_\w+=.+)$", r"\1", text, flags=re.M))
    settings, alerts = Settings(), AlertSettings()
    assert settings.private_hosts == ("127.0.0.1", "localhost")
    assert (settings.bus, settings.secrets, settings.audit_keep_days) == ("kafka", "vault", 730)
    assert alerts.smtp_host == "smtp.tuempresa.cl"


def test_commands_in_a_project_use_its_settings_and_its_contracts(project: Path) -> None:
    assert Settings().data_dir == Path("data")
    assert smos("contract", "lint").exit_code == 0
    contract = project / "contracts/e2e-faq-quick.yml"
    contract.write_text(contract.read_text().replace("bot: faq", "bot: selling"))
    linted = smos("contract", "lint", "--json")
    (finding,) = json.loads(linted.stdout)
    assert (linted.exit_code, finding["file"]) == (1, "contracts/e2e-faq-quick.yml")


def test_a_project_is_used_from_elsewhere_by_its_settings_file(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings().secrets_key is None
    monkeypatch.setenv("SMOS_SETTINGS_FILE", str(project / ".env"))
    settings = Settings()
    assert settings.secrets_key is not None
    assert (settings.data_dir, settings.contracts_dir) == (project / "data", project / "contracts")


def test_without_a_project_the_contracts_that_come_with_us_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "contracts").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Settings().contracts_dir == TEMPLATE / "contracts"


def test_the_demo_in_a_project_uses_its_contracts_and_none_of_its_settings(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Path, Settings]] = []

    def run(data_dir: Path, *_: object, **__: object) -> None:
        seen.append((data_dir, Settings()))

    monkeypatch.setattr(demo_stack, "run_demo", run)
    assert smos("demo").exit_code == 0
    ((data_dir, settings),) = seen
    assert (data_dir, settings.secrets_key) == (project / ".smos", None)
    assert settings.contracts_dir.absolute() == project / "contracts"
    assert Settings().secrets_key is not None


def test_sample_texts_can_be_imported_and_answer_nobody_before_they_are_approved() -> None:
    documents = [parse_markdown(path.name, path.read_text("utf-8")) for path in sorted((TEMPLATE / "kb").iterdir())]
    assert {document.category for document in documents} == {
        "horarios", "ubicacion", "pago", "envios", "devoluciones", "garantia", "contacto"
    }  # fmt: skip
    assert {(document.language, document.approval) for document in documents} == {("es", "draft")}
    for path in (TEMPLATE / "kb").iterdir():
        text = path.read_text("utf-8").replace("estado: borrador\n", "")
        assert parse_markdown(path.name, text).approval == "approved"


def test_the_commands_of_its_readme_exist_with_these_options() -> None:
    lines = (TEMPLATE / "README.md").read_text("utf-8").splitlines()
    commands = [shlex.split(line) for line in lines if line.startswith("smos ")]
    smos_itself = typer.main.get_command(app)
    assert len(commands) >= 10
    for _, *words in commands:
        command = smos_itself
        while words and (inner := getattr(command, "commands", {}).get(words[0])) is not None:
            command = inner
            words.pop(0)
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert words == [] or command.params, words
        assert {word for word in words if word.startswith("--")} <= known, words
