"""JSON answers."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response


def answer_json(body: Any, status: int = 200) -> Response:
    """JSON as Rails sends it."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(content.encode(), status_code=status, media_type="application/json; charset=utf-8")
