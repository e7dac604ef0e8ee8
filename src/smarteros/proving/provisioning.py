"""Makes the sandbox's shops tenants, in a process of its own: it needs what the fleet's processes have loaded."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from smarteros.bootstrap import open_services
from smarteros.demo.provision import provision
from smarteros.settings import Settings
from smarteros.tenants.enrolment import BOT_NAME


def main() -> None:
    """Provision, and print what the proof must know as the last line."""
    data_dir, control_url, edge_url = sys.argv[1:4]
    with open_services(Settings(data_dir=Path(data_dir), public_url=edge_url)) as services:
        info = services.http.json("GET", f"{control_url}/sandbox/info")
        provision(services, info, edge_url)
        token = services.operator_token
    sys.stdout.write(json.dumps({"info": info, "operator_token": token, "bot_name": BOT_NAME}) + "\n")
