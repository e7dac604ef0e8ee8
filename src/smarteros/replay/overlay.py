"""The installation's contracts with one of them exchanged: what would be in force if it were activated."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from smarteros.contracts.lint import contract_files
from smarteros.contracts.loader import load_contract
from smarteros.domain.errors import ConfigError


@contextmanager
def contracts_with(directory: Path, candidate: Path) -> Generator[Path]:
    """Yield a folder with all contracts, the one of the candidate's flow replaced by it; deleted in the end.

    A folder and not an object: everything that is made of contracts (checks between them, the agent's examples) is
    made as it would be then. ConfigError when the candidate has a mistake or belongs to no flow in force.
    """
    flow_id = load_contract(candidate).flow_id
    in_force = contract_files(directory)
    replaced = [path for path in in_force if load_contract(path).flow_id == flow_id]
    if not replaced:
        raise ConfigError("unknown_flow", f"{candidate}: no contract in force has flow_id {flow_id!r}")
    with tempfile.TemporaryDirectory(prefix="smos-replay-") as name:
        for path in in_force:
            # Under the same name: the order of the files is the order in which flows are asked.
            shutil.copyfile(candidate if path in replaced else path, Path(name) / path.name)
        yield Path(name)
