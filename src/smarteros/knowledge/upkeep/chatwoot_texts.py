"""What the shop's people have written in Chatwoot: ready-made answers and articles of the help centre, as documents.

Pure reads, with the administrator's token (``chatwoot/user_token``): a bot's may read neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from smarteros.agents.normalise import normalise
from smarteros.channels.chatwoot.client import ChatwootClient, answer_list, answer_object
from smarteros.channels.wild import Wild
from smarteros.domain.errors import PermanentError, RejectedInputError
from smarteros.domain.knowledge import Approval, Document, Section
from smarteros.domain.tenants import Tenant
from smarteros.domain.upkeep import TextSource
from smarteros.kit.http import HttpClient
from smarteros.knowledge.categories import category_named
from smarteros.knowledge.markdown import MAX_DOCUMENT_CHARS
from smarteros.knowledge.topics import lexical_topics
from smarteros.knowledge.words import language_named, language_of
from smarteros.secrets.protocol import SecretStore

PAGE_OF_ARTICLES = 25  # kaminari's default, which Chatwoot leaves (config/initializers has none)
_MOST_PAGES = 40
_MOST_PORTALS = 20
_MOST_CANNED = 1_000
_LONGEST_CANNED = 10_000
# What Chatwoot fills in for the person who sends it (Liquid): without that person it is no sentence.
_PLACEHOLDER = re.compile(r"\{\{|\{%")
# As sure as that of a passage's category.
_SURE_OF_MATTER = 0.6


@dataclass(frozen=True)
class ChatwootTexts:
    """Reads a tenant's Chatwoot. Raises what ``ChatwootClient.ask`` raises, and ConfigError without the token."""

    http: HttpClient
    secrets: SecretStore

    def canned(self, tenant: Tenant, source: TextSource) -> tuple[Document, ...]:
        """Return the ready-made answers as one document, a section for each; none is no document.

        Left out is what has places to fill in, and what only asks the customer something. What is not recognised as
        one of a shop's matters ("one moment, please") comes as a draft, unless the source says that all are approved.
        """
        client = self._client(tenant)
        found = answer_list(_ask(client, "/canned_responses"))[:_MOST_CANNED]
        sections = tuple(section for each in found if (section := _section(each, approved=source.approved)))
        if not sections:
            return ()
        name = f"{source.folder}respuestas-predefinidas"
        return (Document(name=name, title="Respuestas predefinidas", sections=sections, source="json"),)

    def articles(self, tenant: Tenant, source: TextSource) -> tuple[Document, ...]:
        """Return the published articles of the source's portal, or of all that are not archived.

        In Spanish and English; others are left out. PermanentError when there is no such portal.
        """
        client = self._client(tenant)
        portals = [
            portal.text("slug") or ""
            for portal in answer_list(_ask(client, "/portals"), "payload")
            if not portal.flag("archived")
        ]
        if source.address and source.address not in portals:
            raise PermanentError("portal_unknown", f"Chatwoot has no help centre {source.address!r}")
        wanted = [source.address] if source.address else [slug for slug in portals if slug][:_MOST_PORTALS]
        articles = (article for slug in wanted for article in _published(client, slug, source.folder))
        return tuple({article.name: article for article in articles}.values())

    def _client(self, tenant: Tenant) -> ChatwootClient:
        token = self.secrets.read(tenant.scope, "chatwoot/user_token")
        return ChatwootClient(self.http, tenant.chatwoot_url, tenant.chatwoot_account_ids[0], token)


def _ask(client: ChatwootClient, path: str, **params: str) -> object:
    try:
        return client.ask("GET", path, params=params or None)
    except PermanentError as error:  # "conversation_gone" is what a 404 mostly means
        raise PermanentError("chatwoot_texts_gone", error.operator_message) from error


def _section(canned: Wild, *, approved: bool) -> Section | None:
    try:
        code = canned.text("short_code", most=300) or ""
        content = (canned.text("content", most=_LONGEST_CANNED) or "").strip()
    except RejectedInputError:  # one that cannot be read is not worth all the others
        return None
    if not code or not content or _PLACEHOLDER.search(content) or _only_asks(content):
        return None
    title = re.sub(r"[-_./]+", " ", code).strip()
    approval: Approval = "approved" if approved or _is_of_shops(title, content) else "draft"
    return Section(title=title, text=content, language=language_of(content), approval=approval)


def _only_asks(content: str) -> bool:
    return content.endswith("?") and not re.search(r"[.!:]\s", content)


def _is_of_shops(title: str, content: str) -> bool:
    topics = lexical_topics()
    rows = topics.probabilities([normalise(text) for text in (title, content)])
    surest = [topics.by_category(row) | {"otros": 0.0} for row in rows]
    return max(max(matters.values()) for matters in surest) >= _SURE_OF_MATTER


def _published(client: ChatwootClient, portal: str, folder: str) -> Iterator[Document]:
    path = f"/portals/{quote(portal, safe='')}/articles"
    for number in range(1, _MOST_PAGES + 1):
        answer = answer_object(_ask(client, path, status="published", page=str(number)))
        listed = answer_list(answer.fields, "payload")
        yield from (document for article in listed if (document := _article(article, portal, folder)))
        if len(listed) < PAGE_OF_ARTICLES:
            return


def _article(article: Wild, portal: str, folder: str) -> Document | None:
    title = (article.text("title", most=500) or "").strip()
    content = (article.text("content", most=MAX_DOCUMENT_CHARS) or "").strip()
    category = article.child("category")
    # Since 4.17 an article has a language of its own; before it has that of its category.
    locale = article.text("locale") or category.text("locale")
    language = language_named(locale) if locale else language_of(content)
    if article.text("status") != "published" or not title or not content or language is None:
        return None
    return Document(
        name=f"{folder}{portal}/{article.number('id')}",
        title=title,
        category=category_named(category.text("name") or "") or "otros",
        language=language,
        markdown=content,
    )
