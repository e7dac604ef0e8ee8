"""The providers' libraries, imported before time counts."""

from __future__ import annotations

import pytest
from tests.unit.agents.llm.providers import import_libraries


@pytest.fixture(scope="session")
def libraries() -> None:
    """All three providers' libraries."""
    import_libraries()
