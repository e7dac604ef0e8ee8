"""Makes the sandbox's shops tenants, as a process of its own: ``python -m smarteros.proving.provisioning``.

Opening the services starts numerical threads, and a process that has them must not fork, which the proof does all the
time: the library's own fork handler waits for threads that may never answer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from smarteros.bootstrap import open_services
from smarteros.demo.provision import BOT_NAME, provision
from smarteros.settings import Settings


def main(data_dir: str, control_url: str, edge_url: str) -> None:
    """Provision, and print what the proof must know as the last line."""
    with open_services(Settings(data_dir=Path(data_dir), public_url=edge_url)) as services:
        info = services.http.json("GET", f"{control_url}/sandbox/info")
        provision(services, info, edge_url)
        token = services.operator_token
    sys.stdout.write(json.dumps({"info": info, "operator_token": token, "bot_name": BOT_NAME}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
