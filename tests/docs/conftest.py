"""A reader who has the demo running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from tests.conftest import RunningStack
from tests.docs.terminal import Terminal, environment, programs


@pytest.fixture(scope="session")
def programs_at_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with ``smos`` and ``uv``."""
    with programs(tmp_path_factory.mktemp("programs")) as folder:
        yield folder


@pytest.fixture(scope="session")
def demo_terminal(stack: RunningStack, programs_at_hand: Path) -> Callable[[Path], Terminal]:
    """Opens terminals beside the demo, each in an empty directory."""
    info = httpx2.get(f"{stack.url}/sandbox/info", trust_env=False).json()

    def opened(directory: Path) -> Terminal:
        known = environment(
            programs_at_hand,
            directory,
            SMOS_DATA_DIR=str(stack.data_dir),
            SMOS_PUBLIC_URL=stack.url,
            SMOS_OPERATOR_TOKEN=info["smarteros"]["operator_token"],
        )
        return Terminal(directory, known, {"127.0.0.1:8080": stack.url.removeprefix("http://")})

    return opened
