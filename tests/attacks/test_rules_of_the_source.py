"""Rules that keep tenants apart and hold for code nobody has written yet: they are read off the syntax tree.

What reaches the database in another way than ``Database.tenant`` is listed here with its reason; a new one fails.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa

SOURCE = Path(__file__).parents[2] / "src" / "smarteros"
# Measuring and proving are programs of their own, on installations made for them.
NOT_THE_PRODUCT = ("bench/", "proving/")
# Where a connection without a tenant's scope is opened, and why it may be.
WITHOUT_A_SCOPE = {
    "tenants/directory.py": "the directory is asked whose a request is",
    "reconcile/reconciler.py": "a lock, held while another process must not do the same",
    "flow/engine.py": "the queue's owner takes turns of all tenants; accept_message sets its scope itself",
    "flow/takeover.py": "locks that prove a worker's life",
    "edge/receive.py": "what was refused belongs to no tenant",
    "edge/refusals.py": "what was refused belongs to no tenant",
    "edge/operator_api.py": "the operator reads what was refused",
    "bootstrap/runtime.py": "hands the owner's address to the engine",
    "bootstrap/audit.py": "publishes the outbox of all tenants",
    "bootstrap/probes.py": "hands the owner's address to the lock that lets one worker ask",
    "bootstrap/upkeep.py": "hands the owner's address to the lock that lets one worker look after the texts",
    "bootstrap/alerts.py": "hands the owner's address to the lock that lets one worker watch",
    "alerts/rounds.py": "who is told is the operator's; what is watched of a tenant is read in its scope",
    "cli/alerts.py": "the operator reads what is amiss, and silences it",
    "health/probing.py": "our own services are no tenant's",
    "health/report.py": "our own services are no tenant's",
    "store/dump.py": "a backup is of the whole installation, as its owner",
    "cli/contract_runs.py": "contracts are the installation's, and so is what came of their scenarios",
    "console/contract_routes.py": "contracts are the installation's, and so is what came of their scenarios",
    "console/alert_routes.py": "the operator sees what is amiss of his own, and when all was last looked at",
    "cli/audit.py": "the operator reads and verifies what was refused; retention is the owner's",
    "tenants/erasure.py": "erases a tenant's rows of every table, in that tenant's scope",
    "tenants/owners_view.py": "opens the owner's transactions in one tenant's scope",
    "dedicated/moving.py": "asks which database it is; a tenant's rows are read and written in its scope",
    "dedicated/passing_on.py": "a lock, held while another process must not do the same",
    "bootstrap/dedicated.py": "hands the owner's address to the loop that looks whose webhooks are kept",
    "tenants/noting.py": "notes of the operator about no tenant",
    "doctor/installation.py": "looks at the installation itself",
    "console/audit_routes.py": "the operator reads and verifies what was refused",
    "console/access.py": "who signs in is not known before",
    "console/invitations.py": "an invitation is opened by somebody not known before",
    "store/database.py": "is what the rule is about",
}
OF_THE_DATABASE = {"installation", "unclaimed", "scoped", "statement", "app", "owner_url"}
OF_THE_DRIVERS = {"create_engine", "sa.create_engine", "psycopg.connect", "psycopg.Connection.connect"}
SECRET_WORDS = re.compile(r"secret|signature|hmac|api_key|bearer|csrf|password", re.IGNORECASE)
# Names of such things, and their states, which are no secrets.
NO_SECRETS = re.compile(
    r"kind|mode|path|name|length|code|scheme|header|algorithm|policy|_at$|state|status|seen|known|count|topic|_hash$",
    re.IGNORECASE,
)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        relative = path.relative_to(SOURCE).as_posix()
        if not relative.startswith((*NOT_THE_PRODUCT, "store/migrations/")):
            yield relative, parsed(path)


def tenant_tables() -> set[str]:
    """Names of the tables with a tenant, as the modules of tables describe them."""
    found: set[str] = set()
    for path in [SOURCE / "store" / "tables.py", *(SOURCE / "store").glob("*_tables.py")]:
        metadata: sa.MetaData = importlib.import_module(f"smarteros.store.{path.stem}").metadata
        found |= {table.name for table in metadata.tables.values() if "tenant_id" in table.c}
    return found - {"tenants"}


def unscoped(tree: ast.Module) -> set[str]:
    """The ways to a connection without a tenant's scope that a module uses."""
    ways: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in OF_THE_DATABASE:
            ways |= {node.attr} if ast.unparse(node.value).endswith("database") else set()
        elif isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in OF_THE_DRIVERS:
            ways.add(called)
    return ways


def test_only_who_is_listed_reaches_the_database_without_a_tenants_scope() -> None:
    found = {name: ways for name, tree in modules() if (ways := unscoped(tree))}

    assert {name: ways for name, ways in found.items() if name not in WITHOUT_A_SCOPE} == {}
    assert set(WITHOUT_A_SCOPE) - set(found) == set()


def test_what_is_opened_for_the_installation_touches_no_tenants_table() -> None:
    tables = tenant_tables()
    wrong: list[str] = []
    for name, tree in modules():
        for block in ast.walk(tree):
            if isinstance(block, ast.With) and any(_opens(item, "installation") for item in block.items):
                wrong += [f"{name}:{block.lineno} {table}" for table in _named(block) & tables]

    assert wrong == []


def _opens(item: ast.withitem, way: str) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == way for node in ast.walk(item.context_expr))


def _named(block: ast.With) -> set[str]:
    """Tables that the statements of a block name, as objects or in SQL."""
    named: set[str] = set()
    for node in ast.walk(block):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            named |= set(re.findall(r"smos\.(\w+)", node.value))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr == "c":
            named.add(node.value.id)
    return named


def test_the_rule_sees_a_table_however_it_is_named() -> None:
    """The rule above is of use only if it finds what it looks for."""
    source = (
        "with database.installation() as c:\n"
        " c.execute(sa.select(turns.c.record))\n"
        " run(c, 'SELECT 1 FROM smos.replies')\n"
    )
    (block,) = ast.parse(source).body
    assert isinstance(block, ast.With)
    assert _opens(block.items[0], "installation")
    assert _named(block) >= {"turns", "replies"}
    assert unscoped(ast.parse("psycopg.connect(self.database.owner_url)")) == {"owner_url", "psycopg.connect"}


def test_no_credential_is_compared_in_a_time_that_tells_how_far_it_was_right() -> None:
    """``==`` ends at the first wrong byte; ``hmac.compare_digest`` does not."""
    wrong: list[str] = []
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and _tells(node):
                wrong.append(f"{name}:{node.lineno} {ast.unparse(node)}")

    assert wrong == []


def _tells(node: ast.Compare) -> bool:
    if not all(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
        return False
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Constant) for side in sides):
        return False
    return any(_is_credential(side) for side in sides)


def _is_credential(side: ast.expr) -> bool:
    if not isinstance(side, (ast.Name, ast.Attribute)):
        return False
    last = side.id if isinstance(side, ast.Name) else side.attr
    return bool(SECRET_WORDS.search(last)) and not NO_SECRETS.search(last)


@pytest.mark.parametrize(
    ("source", "tells"),
    [
        ("given_signature == expected", True),
        ("self.secret != value", True),
        ("signature_mode == other_mode", False),
        ("hmac.compare_digest(a, b)", False),
    ],
)
def test_the_rule_knows_a_credential_from_what_is_said_about_it(source: str, tells: bool) -> None:
    (statement,) = ast.parse(source).body
    assert isinstance(statement, ast.Expr)
    found = isinstance(statement.value, ast.Compare) and _tells(statement.value)

    assert found is tells
