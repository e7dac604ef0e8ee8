"""Hostile files and addresses, sent as a customer or a forged webhook sends them to the running service."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import httpx2
import psutil
import pytest
from tests.attacks.hostile_documents import hostile, receipt
from tests.e2e.test_webhooks import OUR_FIXTURES, hook
from tests.e2e.world import Customer, World, as_bytes

SHOES = "TENANT_DEMO"
ASKS_AGAIN = ("foto más clara", "boleta o factura", "foto de cerca", "agente humano")
OPENING = "¿Cuál es el horario de atención?"
# So many attack at once: that harms more than one after the other, and takes less time. There are two readers.
FILES_AT_ONCE, ADDRESSES_AT_ONCE = 2, 8
# Above every number the stand-in gives a message itself.
FORGED_FROM = 500_000_000

# One of each kind; all of them are given to the reader itself in tests/unit/documents.
SENT = [
    "png of 400 megapixels",
    "png whose comment unpacks to 100 MB",
    "jpeg of a thousand scans",
    "jpeg and pdf in one",
    "truncated jpeg",
    "heic of noise",
    "svg",
    "tiff",
    "zip",
    "pdf of 5000 pages",
    "pdf packed three times",
    "pdf whose forms draw each other",
]


def worker_processes() -> list[psutil.Process]:
    """The processes below this one that decode documents."""
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "smarteros.documents.worker" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


@dataclass(frozen=True)
class Sent:
    """What became of a hostile file; ``meanwhile`` is what another customer was answered."""

    reply: str
    turn: dict[str, Any]
    meanwhile: str
    workers: int


@pytest.fixture(scope="module")
def sent_files(world: World) -> dict[str, Sent]:
    def send(name: str) -> Sent:
        customer = world.customer(SHOES)
        sent = customer.write("tengo un problema con mi compra", hostile(name))
        meanwhile = world.customer(SHOES).ask(OPENING)
        reply = patient_reply(customer, sent)
        return Sent(reply, customer.turn_of(sent), meanwhile, len(worker_processes()))

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return dict(zip(SENT, pool.map(send, SENT), strict=True))


@pytest.mark.parametrize("name", SENT)
def test_a_hostile_file_gets_a_civil_answer_and_harms_nobody(sent_files: dict[str, Sent], name: str) -> None:
    sent = sent_files[name]

    assert any(words in sent.reply for words in ASKS_AGAIN), sent.reply
    assert sent.turn["outcome"] in {"answered", "escalated"}
    assert sent.turn["reading"] is None or sent.turn["reading"]["confidence"] < 0.7
    assert "Lunes a Viernes" in sent.meanwhile, "others are answered meanwhile"
    assert sent.workers <= 2


def patient_reply(customer: Customer, sent: int) -> str:
    """Wait as long as a crowded machine needs; how long it may take is the worker's own bound."""
    for _ in range(3):
        try:
            return customer.reply_to(sent)
        except AssertionError:
            continue
    return customer.reply_to(sent)


def test_a_worker_killed_in_the_middle_is_replaced_and_the_photo_is_answered(world: World) -> None:
    patient_reply(first := world.customer(SHOES), first.write("aquí va", receipt()))
    victims = worker_processes()
    assert victims
    customer = world.customer(SHOES)
    sent = customer.write("¿tiene garantía?", receipt())
    for victim in victims:
        victim.kill()

    assert patient_reply(customer, sent)
    assert customer.turn_of(sent)["outcome"] in {"answered", "escalated"}
    assert "Lunes a Viernes" in world.customer(SHOES).ask(OPENING)


class Canary:
    """A server that must not be asked for anything."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.visitors = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.visitors += 1
            connection.close()

    def close(self) -> None:
        self._listener.close()


def forged(world: World, customer: Customer, url: Any, message_id: int) -> httpx2.Response:
    """Post a rightly signed webhook whose attachment lies at ``url``."""
    body = json.loads((OUR_FIXTURES / "message_created.whatsapp_image_no_caption.json").read_text())
    account = {"id": world.shop(SHOES)["account_id"], "name": "Demo"}
    body |= {"id": message_id, "account": account, "content": "mira"}
    body["conversation"]["id"] = customer.conversation_id
    body["attachments"][0]["data_url"] = url
    address, secret = hook(world, SHOES)
    return world.post_webhook(address, as_bytes(body), secret)


PLACES = [
    "http://127.0.0.1:{port}/a.jpg",
    "http://localhost:{port}/a.jpg",
    "http://2130706433:{port}/a.jpg",
    "http://0x7f000001:{port}/a.jpg",
    "http://0177.0.0.1:{port}/a.jpg",
    "http://127.1:{port}/a.jpg",
    "http://0.0.0.0:{port}/a.jpg",
    "http://[::1]:{port}/a.jpg",
    "http://[::ffff:127.0.0.1]:{port}/a.jpg",
    "http://[::ffff:7f00:1]:{port}/a.jpg",
    "http://127.0.0.1.nip.io:{port}/a.jpg",
    "http://user@127.0.0.1:{port}/a.jpg",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/a.jpg",
    "http://[fe80::1%25lo]/a.jpg",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "//127.0.0.1:{port}/a.jpg",
    "http://127.0.0.1:{port}\\@chat.example/a.jpg",
    "x" * 5000,
    "",
    None,
    7,
]


@dataclass(frozen=True)
class Forged:
    """What became of a forged webhook; ``turn`` of one that was accepted, ``afterwards`` another customer's answer."""

    answer: httpx2.Response
    turn: dict[str, Any] | None
    afterwards: str
    canary: Canary


@pytest.fixture(scope="module")
def forged_webhooks(world: World) -> Iterator[dict[Any, Forged]]:
    """Each has a canary of its own."""

    def forge(place: Any, canary: Canary) -> Forged:
        customer = world.customer(SHOES)
        customer.ask("hola, tengo una consulta sobre mi compra")
        url = place.format(port=canary.port) if isinstance(place, str) else place
        message_id = FORGED_FROM + canary.port
        answer = forged(world, customer, url, message_id)
        turn = customer.turn_of(message_id) if answer.status_code == 200 else None
        return Forged(answer, turn, world.customer(SHOES).ask(OPENING), canary)

    with ExitStack() as birds, ThreadPoolExecutor(ADDRESSES_AT_ONCE) as pool:
        canaries = [birds.enter_context(closing(Canary())) for _ in PLACES]
        yield dict(zip(PLACES, pool.map(forge, PLACES, canaries), strict=True))


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_an_attachments_address_leads_nowhere_but_to_the_shops_own_chatwoot(
    forged_webhooks: dict[Any, Forged], place: Any
) -> None:
    sent = forged_webhooks[place]

    assert sent.answer.status_code in {200, 422}
    if sent.turn is not None:
        assert sent.answer.json()["status"] == "accepted"
        assert (sent.turn["reading"] or {"confidence": 0})["confidence"] == 0
    assert "Lunes a Viernes" in sent.afterwards, "the turns behind it are worked on"
    assert sent.canary.visitors == 0
