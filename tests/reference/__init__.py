"""The reference pages of the docs site, written from the code: ``just generate`` keeps them, ``just check`` looks."""

from __future__ import annotations

from collections.abc import Callable

from tests.reference.commands import commands_page
from tests.reference.contract import contract_page, flow_pages
from tests.reference.decisions import decisions_page
from tests.reference.errors import errors_page
from tests.reference.http import http_page
from tests.reference.metrics import metrics_page
from tests.reference.python import python_page
from tests.reference.settings import settings_page
from tests.reference.tools import tools_page

REFERENCE: dict[str, Callable[[], str]] = {
    "docs/reference/cli.md": commands_page,
    "docs/reference/settings.md": settings_page,
    "docs/reference/contract.md": contract_page,
    **{f"docs/reference/flows/{name}.md": page for name, page in flow_pages().items()},
    "docs/reference/metrics.md": metrics_page,
    "docs/reference/errors.md": errors_page,
    "docs/reference/tools.md": tools_page,
    "docs/reference/http.md": http_page,
    "docs/reference/python.md": python_page,
    "docs/decisions/index.md": decisions_page,
}
