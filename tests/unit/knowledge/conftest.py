"""A web site of a shop, driven by one function per test, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.channels.conftest import Site

from smarteros.kit.http import HttpClient


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    yield server
    server.close()


@pytest.fixture(scope="session")
def http() -> Iterator[HttpClient]:
    client = HttpClient(default_timeout_s=20)
    yield client
    client.close()
