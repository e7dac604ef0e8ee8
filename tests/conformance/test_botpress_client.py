"""The stand-in of Botpress Cloud, as the official client ``@botpress/chat`` sees it.

What our adapter is tested against is thereby a server the vendor's own code accepts: users with both kinds of keys,
conversations, messages with metadata, listening, and the errors the client knows by their types.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.npm import installed
from tests.unit.agents.botpress.bots import KEY, bots_serving, shipping

CLIENT_VERSION = "0.5.5"
RUN_WITHIN_S = 120


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    node, package = installed("@botpress/chat", CLIENT_VERSION)
    script = Path(__file__).with_name("botpress_chat_client.cjs")
    with bots_serving() as bots:
        done = subprocess.run(
            [node, str(script), str(package), f"{bots.url}/bot-keyed", KEY, f"{bots.url}/bot-open"],
            capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("door", ["keyed", "open"])
def test_the_official_client_talks_to_a_bot_and_hears_its_answer(seen: dict[str, Any], door: str):
    assert seen[door] == {"isBot": True, "answer": shipping(), "listed": True}


def test_a_user_of_ones_own_key_is_the_same_every_time(seen: dict[str, Any]):
    assert (seen["sameUser"], seen["twice"]) == (True, True)


def test_the_official_client_knows_every_refusal(seen: dict[str, Any]):
    assert seen["refused"] == {
        "wrongKey": "Unauthorized",
        "noKey": "Unauthorized",
        "wrongId": "InvalidPayload",
        "sameId": "AlreadyExists",
        "ofAnother": "Forbidden",
        "unknown": "ResourceNotFound",
    }
