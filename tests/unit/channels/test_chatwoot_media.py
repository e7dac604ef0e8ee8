"""Attacks on the download of attachments: where it may lead, how large, how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smarteros.channels.chatwoot.channel import ChatwootChannel
from smarteros.channels.media import MediaFetcher
from smarteros.channels.outside import resolve_all
from smarteros.domain.errors import PermanentError, RejectedInputError, SmosError, TransientError
from smarteros.domain.messages import Attachment
from smarteros.domain.tenants import Tenant
from smarteros.kit.addresses import is_public
from smarteros.kit.http import HttpClient

JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 10
PUBLIC = "93.184.216.34"


def attachment(url: str, size: int | None = None) -> Attachment:
    return Attachment(id=1, kind="image", url=url, content_type="image/jpeg", file_size=size)


class Waits:
    """A clock that moves only when somebody sleeps on it."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def clock(self) -> float:
        return sum(self.slept)


class NoSecrets:
    def read(self, scope: Any, path: str) -> str:
        raise AssertionError("a download needs no secret")

    find = write = read


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def download(http: HttpClient, tenant: Tenant, waits: Waits) -> Callable[..., bytes]:
    def run(url: str, *, resolve: Any = resolve_all, who: Tenant = tenant, size: int | None = None) -> bytes:
        media = MediaFetcher(http, resolve=resolve, sleep=waits.sleep, clock=waits.clock)
        return ChatwootChannel(http, NoSecrets(), media=media).download(who, attachment(url, size))

    return run


def code_of(call: Callable[[], Any], kind: type[SmosError] = RejectedInputError) -> str:
    with pytest.raises(kind) as caught:
        call()
    return caught.value.code


def test_a_picture_of_the_tenants_own_chatwoot_is_fetched(site: Any, download: Any, make_answer: Any) -> None:
    site.answer = lambda _request: make_answer(200, JPEG)
    assert download(f"{site.url}/rails/photo.jpg") == JPEG
    assert site.seen[0].headers["host"] == f"127.0.0.1:{site.port}"


def test_a_redirect_within_the_own_chatwoot_is_followed(site: Any, download: Any, make_answer: Any) -> None:
    def answer(request: Any) -> Any:
        moved = make_answer(302, headers={"Location": "/disk/photo.jpg"})
        return moved if request.path == "/redirect" else make_answer(200, JPEG)

    site.answer = answer
    assert download(f"{site.url}/redirect") == JPEG


def test_a_file_that_is_not_there_yet_is_waited_for(site: Any, download: Any, make_answer: Any, waits: Waits) -> None:
    answers: Iterator[Any] = iter([make_answer(404), make_answer(503), make_answer(404), make_answer(200, JPEG)])
    site.answer = lambda _request: next(answers)
    assert download(f"{site.url}/photo") == JPEG
    assert waits.slept == [0.5, 1.0, 2.0]


def test_a_file_that_never_comes_is_given_up_within_the_bound(site: Any, download: Any, waits: Waits) -> None:
    assert code_of(lambda: download(f"{site.url}/photo"), TransientError) == "media_not_ready"
    assert waits.slept == [0.5, 1.0, 2.0, 4.0]


def test_a_forbidden_file_is_not_asked_for_twice(site: Any, download: Any, make_answer: Any) -> None:
    site.answer = lambda _request: make_answer(403)
    assert code_of(lambda: download(f"{site.url}/photo"), PermanentError) == "media_refused"
    assert len(site.seen) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/photo",
        "http://localhost/photo",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/photo",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "https://chat.aromo.example.evil.example/photo",
        "http://chat.aromo.example:8080/photo",
    ],
)
def test_a_host_nobody_named_is_never_asked(url: str, download: Any, make_tenant: Any) -> None:
    who = make_tenant("https://chat.aromo.example")
    assert code_of(lambda: download(url, who=who)) == "media_host_not_allowed"


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://chat.aromo.example/x", "", "photo.jpg", "http://", "http://a@127.0.0.1/x",
     "http://exa\nmple.com/", "http://[::1", "javascript:alert(1)", "http://host:99999/"],
)  # fmt: skip
def test_an_address_that_is_no_plain_http_url_is_refused(url: str, download: Any) -> None:
    assert code_of(lambda: download(url)) in {"media_url_invalid", "media_host_not_allowed"}


def test_credentials_before_the_own_host_do_not_hide_another_host(site: Any, download: Any) -> None:
    assert code_of(lambda: download(f"http://127.0.0.1:{site.port}@evil.example/x")) == "media_url_invalid"


def test_another_port_of_the_own_host_is_refused(site: Any, download: Any) -> None:
    port = site.port + 1 if site.port < 65_535 else site.port - 1
    assert code_of(lambda: download(f"http://127.0.0.1:{port}/photo")) == "media_host_not_allowed"


@pytest.mark.parametrize("target", ["http://169.254.169.254/", "http://localhost:22/", "//10.0.0.1/x", "file:///etc"])
def test_a_redirect_to_a_private_place_is_refused(target: str, site: Any, download: Any, make_answer: Any) -> None:
    site.answer = lambda _request: make_answer(302, headers={"Location": target})
    assert code_of(lambda: download(f"{site.url}/photo")) in {"media_host_not_allowed", "media_url_invalid"}
    assert len(site.seen) == 1


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "255.255.255.255", "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::", "x"],
)  # fmt: skip
def test_a_storage_host_with_a_private_address_is_refused(
    address: str, site: Any, download: Any, make_tenant: Any
) -> None:
    who = make_tenant("https://chat.aromo.example", attachment_hosts=(f"files.example:{site.port}",))
    url = f"http://files.example:{site.port}/photo"
    resolve = lambda _host, _port: (PUBLIC, address)  # noqa: E731
    assert code_of(lambda: download(url, who=who, resolve=resolve)) == "media_address_private"
    assert not site.seen
    assert not is_public(address)


def test_the_address_that_was_checked_is_the_one_that_is_used(
    site: Any, http: HttpClient, make_answer: Any, make_tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that resolves differently the second time (DNS rebinding) is resolved only once."""
    site.answer = lambda _request: make_answer(200, JPEG)
    monkeypatch.setattr("smarteros.channels.outside.is_public", lambda _address: True)
    asked: list[str] = []

    def resolve(host: str, _port: int) -> tuple[str, ...]:
        asked.append(host)
        return ("127.0.0.1",)

    who = make_tenant("https://chat.aromo.example", attachment_hosts=(f"files.example:{site.port}",))
    data = MediaFetcher(http, resolve=resolve).fetch(who, f"http://files.example:{site.port}/photo")
    assert data == JPEG
    assert asked == ["files.example"]
    assert site.seen[0].headers["host"] == f"files.example:{site.port}"


def test_a_host_named_without_port_is_not_open_on_other_ports(download: Any, make_tenant: Any) -> None:
    who = make_tenant("https://chat.aromo.example", attachment_hosts=("files.example",))
    assert code_of(lambda: download("http://files.example:6379/", who=who)) == "media_host_not_allowed"


def test_a_name_that_does_not_resolve_is_a_passing_fault(download: Any, make_tenant: Any) -> None:
    def nowhere(_host: str, _port: int) -> tuple[str, ...]:
        raise OSError("no such host")

    who = make_tenant("https://chat.aromo.example", attachment_hosts=("files.example",))
    call = lambda: download("https://files.example/x", who=who, resolve=nowhere)  # noqa: E731
    assert code_of(call, TransientError) == "media_unreachable"


def test_a_name_service_that_does_not_answer_meets_the_total_bound(http: HttpClient, make_tenant: Any) -> None:
    released = threading.Event()

    def silent(_host: str, _port: int) -> tuple[str, ...]:
        released.wait(60)
        return (PUBLIC,)

    who = make_tenant("https://chat.aromo.example", attachment_hosts=("files.example",))
    fetcher = MediaFetcher(http, resolve=silent, total_seconds=0.2)
    assert code_of(lambda: fetcher.fetch(who, "https://files.example/x")) == "media_too_slow"
    released.set()


@pytest.mark.parametrize("address", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:7f00:1]", "[::1]"])
def test_no_spelling_of_loopback_is_a_storage_host(address: str, site: Any, download: Any, make_tenant: Any) -> None:
    """Also when an operator has listed it by mistake: what it resolves to is what counts."""
    who = make_tenant("https://chat.aromo.example", attachment_hosts=(f"{address}:{site.port}", address.strip("[]")))
    refused = {"media_address_private", "media_host_not_allowed", "media_url_invalid"}
    assert code_of(lambda: download(f"http://{address}:{site.port}/photo", who=who)) in refused
    assert not site.seen


@pytest.mark.parametrize("length", ["5", "-1", "1e3", "99999999999999999999"])
def test_a_length_that_is_not_the_bodys_gives_no_picture_beyond_it(length: str, site: Any, download: Any) -> None:
    site.answer = lambda request: (
        request.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + JPEG) and None
    )
    try:
        data = download(f"{site.url}/photo")
    except (RejectedInputError, TransientError) as error:
        assert error.code.startswith("media_")
    else:
        assert data == JPEG[:5]


def test_endless_redirects_end(site: Any, download: Any, make_answer: Any) -> None:
    site.answer = lambda _request: make_answer(302, headers={"Location": "/again"})
    assert code_of(lambda: download(f"{site.url}/photo")) == "media_redirects"
    assert len(site.seen) == 4


def test_a_page_that_claims_to_be_a_picture_is_refused(site: Any, download: Any, make_answer: Any) -> None:
    page = make_answer(200, b"<html>not yet</html>", {"Content-Type": "image/jpeg"})
    site.answer = lambda _request: page
    assert code_of(lambda: download(f"{site.url}/photo")) == "media_unsupported"


def test_a_declared_size_beyond_the_bound_is_not_even_fetched(site: Any, download: Any) -> None:
    assert code_of(lambda: download(f"{site.url}/photo", size=17 * 2**20)) == "media_too_large"
    assert not site.seen


def test_a_huge_body_is_cut_off_at_16_mib(site: Any, download: Any) -> None:
    written: list[int] = []

    def flood(request: Any) -> None:
        request.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(400):
            request.write(JPEG[:3] + bytes(2**18))
            written.append(2**18)

    site.answer = flood
    assert code_of(lambda: download(f"{site.url}/photo")) == "media_too_large"
    assert sum(written) < 64 * 2**20


def test_a_packed_body_is_not_unpacked(site: Any, download: Any, make_answer: Any) -> None:
    import gzip

    bomb = gzip.compress(JPEG + bytes(64 * 2**20))
    site.answer = lambda _request: make_answer(200, bomb, {"Content-Encoding": "gzip"})
    assert code_of(lambda: download(f"{site.url}/photo")) == "media_unsupported"
    assert site.seen[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("slow_part", ["headers", "body"])
def test_a_sender_of_one_byte_at_a_time_meets_the_total_bound(
    slow_part: str, site: Any, http: HttpClient, tenant: Tenant
) -> None:
    def drip(request: Any) -> None:
        request.write(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" + JPEG if slow_part == "body" else b"X-Slow: "))
        while not site.closing.wait(0.02):
            request.write(b"a")

    site.answer = drip
    started = time.monotonic()
    fetcher = MediaFetcher(http, total_seconds=0.3)
    assert code_of(lambda: fetcher.fetch(tenant, f"{site.url}/photo")) == "media_too_slow"
    assert time.monotonic() - started < 20  # this sender would go on for ever


def test_a_connection_cut_in_the_middle_is_a_passing_fault(site: Any, download: Any) -> None:
    site.answer = lambda request: request.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + JPEG) and None
    assert code_of(lambda: download(f"{site.url}/photo"), TransientError) == "media_unreachable"


def test_a_dead_host_is_a_passing_fault(http: HttpClient, make_tenant: Any, site: Any) -> None:
    site.close()
    who = make_tenant(site.url)
    assert code_of(lambda: MediaFetcher(http).fetch(who, f"{site.url}/x"), TransientError) == "media_unreachable"
