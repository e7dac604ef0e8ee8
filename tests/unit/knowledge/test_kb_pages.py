"""Pages of a shop's own site: where they may be fetched from, and what they are read as."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.channels.conftest import Answer, Request, Site, aromo
from tests.unit.knowledge.test_kb_formats import docx, pdf

from smarteros.domain.errors import PermanentError, RejectedInputError, SmosError, TransientError
from smarteros.domain.knowledge import Document
from smarteros.domain.upkeep import UpkeepSettings
from smarteros.kit.http import HttpClient
from smarteros.knowledge.passages import passages_of
from smarteros.knowledge.upkeep.pages import PageReader, Validators

FAQ = "<title>Ayuda</title><h2>¿Cómo se paga?</h2><p>Con débito.</p>".encode()
TENANT = aromo("https://chat.aromo.example")


def served(site: Site, body: bytes, kind: str | None, **headers: str) -> None:
    given = {} if kind is None else {"Content-Type": kind}
    site.answer = lambda _request: Answer(200, body, given | headers)


def read(site: Site, http: HttpClient, path: str = "/ayuda", **options: Any) -> Document:
    document = PageReader(http, trusted=(site.url,)).read(TENANT, f"{site.url}{path}", **options).document
    assert document is not None
    return document


def code_of(reader: PageReader, url: str, kind: type[SmosError] = RejectedInputError) -> str:
    with pytest.raises(kind) as caught:
        reader.read(TENANT, url)
    return caught.value.code


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/ayuda", FAQ, "text/html; charset=utf-8"),
        ("/ayuda", FAQ.decode().encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ("/ayuda", b"<!DOCTYPE html>" + FAQ, None),
        ("/ayuda", "## ¿Cómo se paga?\nCon débito.".encode(), "text/markdown"),
        ("/ayuda.md", "## ¿Cómo se paga?\nCon débito.".encode(), "text/plain"),
        ("/ayuda", '[{"pregunta": "¿Cómo se paga?", "respuesta": "Con débito."}]'.encode(), "application/json"),
        (
            "/ayuda",
            docx("<w:p><w:pPr><w:pStyle w:val='Heading1'/></w:pPr><w:r><w:t>¿Cómo se paga?</w:t></w:r></w:p>"
                 "<w:p><w:r><w:t>Con débito.</w:t></w:r></w:p>"),
            "application/octet-stream",
        ),
    ],
)  # fmt: skip
def test_a_page_is_read_as_what_it_says_it_is(
    site: Site, http: HttpClient, path: str, body: bytes, kind: str | None
) -> None:
    served(site, body, kind)
    document = read(site, http, path)
    assert document.name == f"127.0.0.1{path}"
    assert [(p.title, p.text) for p in passages_of(document)] == [("¿Cómo se paga?", "Con débito.")]


def test_a_pdf_is_read_by_its_type(site: Site, http: HttpClient) -> None:
    served(site, pdf("Despachamos a todo Chile en tres dias."), "application/pdf")
    assert "Despachamos a todo Chile" in read(site, http, "/bases?tipo=1").markdown


@pytest.mark.parametrize(("body", "kind"), [(b"\x89PNG\r\n", "image/png"), (b"\x00\x01", None), (FAQ, "video/mp4")])
def test_what_holds_no_text_is_refused(site: Site, http: HttpClient, body: bytes, kind: str | None) -> None:
    served(site, body, kind)
    assert code_of(PageReader(http, trusted=(site.url,)), f"{site.url}/x") == "page_unreadable"


def test_a_page_that_has_not_changed_is_not_sent_again(site: Site, http: HttpClient) -> None:
    def answer(request: Request) -> Answer:
        known = request.headers.get("if-none-match") == '"v1"' and "if-modified-since" in request.headers
        headers = {"Content-Type": "text/html", "ETag": '"v1"', "Last-Modified": "Mon, 23 Nov 2026 05:00:00 GMT"}
        return Answer(304) if known else Answer(200, FAQ, headers)

    site.answer = answer
    reader = PageReader(http, trusted=(site.url,))
    first = reader.read(TENANT, f"{site.url}/ayuda")
    assert first.validators == Validators('"v1"', "Mon, 23 Nov 2026 05:00:00 GMT")
    again = reader.read(TENANT, f"{site.url}/ayuda", known=first.validators)
    assert (again.document, again.validators) == (None, first.validators)


def test_a_private_address_is_refused_unless_the_installation_trusts_the_origin(site: Site, http: HttpClient) -> None:
    served(site, FAQ, "text/html")
    assert code_of(PageReader(http), f"{site.url}/ayuda") == "page_address_private"
    assert code_of(PageReader(http, trusted=("http://other.example",)), f"{site.url}/ayuda") == "page_address_private"
    assert not site.seen


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://tienda.example/x", "http://a@127.0.0.1/", "http://[::1", ""]
)
def test_an_address_that_is_no_plain_http_url_is_refused(http: HttpClient, url: str) -> None:
    assert code_of(PageReader(http), url) == "page_url_invalid"


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "http://localhost:22/", "//10.0.0.1/x"])
def test_a_redirect_to_a_host_nobody_named_is_refused(site: Site, http: HttpClient, target: str) -> None:
    site.answer = lambda _request: Answer(302, headers={"Location": target})
    assert code_of(PageReader(http, trusted=(site.url,)), f"{site.url}/ayuda") in {
        "page_host_not_allowed", "page_address_private",
    }  # fmt: skip
    assert len(site.seen) == 1


def test_a_listed_host_is_followed_and_must_still_be_public(site: Site, http: HttpClient) -> None:
    site.answer = lambda _request: Answer(302, headers={"Location": "http://files.example/faq"})
    who = TENANT.model_copy(update={"kb": UpkeepSettings(page_hosts=("files.example",))})
    reader = PageReader(http, trusted=(site.url,), resolve=lambda _host, _port: ("10.0.0.7",))
    with pytest.raises(RejectedInputError) as caught:
        reader.read(who, f"{site.url}/ayuda")
    assert caught.value.code == "page_address_private"
    assert code_of(reader, f"{site.url}/ayuda") == "page_host_not_allowed"


def test_a_redirect_within_the_site_is_followed(site: Site, http: HttpClient) -> None:
    moved = Answer(301, headers={"Location": "/ayuda"})
    site.answer = lambda request: moved if request.path == "/faq" else Answer(200, FAQ, {"Content-Type": "text/html"})
    assert read(site, http, "/faq").title == "Ayuda"


def test_a_page_beyond_the_bounds_of_size_or_time_is_refused(
    site: Site, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smarteros.knowledge.upkeep.pages.MAX_BINARY_BYTES", 1000)
    served(site, b"a" * 1001, "text/html")
    assert code_of(PageReader(http, trusted=(site.url,)), f"{site.url}/x") == "page_too_large"

    def drip(request: Request) -> None:
        request.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not site.closing.wait(0.02):
            request.write(b"a")

    site.answer = drip
    assert code_of(PageReader(http, trusted=(site.url,), total_seconds=0.3), f"{site.url}/x") == "page_too_slow"


def test_what_may_pass_is_told_from_what_is_gone(site: Site, http: HttpClient) -> None:
    reader = PageReader(http, trusted=(site.url,))
    for status, kind, code in ((503, TransientError, "page_unavailable"), (404, PermanentError, "page_refused")):
        site.answer = lambda _request, status=status: Answer(status)
        assert code_of(reader, f"{site.url}/x", kind) == code
    site.close()
    assert code_of(reader, f"{site.url}/x", TransientError) == "page_unreachable"
