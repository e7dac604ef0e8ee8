"""``/api/v1/accounts/{account_id}/portals``: the help centre. A portal is named by its slug."""

from __future__ import annotations

import re

from starlette.responses import Response

from smarteros_sandbox.chatwoot.errors import invalid, not_found
from smarteros_sandbox.chatwoot.http.params import Params
from smarteros_sandbox.chatwoot.http.routing import Access, Call, RouteSpec, ok
from smarteros_sandbox.chatwoot.records import ARTICLE_STATUSES, Article, Category, Portal, User
from smarteros_sandbox.chatwoot.shapes import help_center as shapes

PAGE = 25
MAX_LOCALES = 50


async def portals(call: Call) -> Response:
    """All portals, archived ones too."""
    rows = [row for row in call.chatwoot.store.portals if row.account_id == call.account.id]
    page = call.params.integer("page") or 1
    payload = [shapes.portal(call.chatwoot.view, row) for row in rows]
    return ok({"payload": payload, "meta": {"current_page": page, "portals_count": len(rows)}})


async def portal(call: Call) -> Response:
    """One portal, with the counts of its articles in a language."""
    row, locale = _portal(call), call.params.text("locale")
    articles = [article for article in _articles(call, row) if not locale or article.locale == locale]
    return ok(shapes.portal(call.chatwoot.view, row, articles))


async def create_portal(call: Call) -> Response:
    """A new portal."""
    row = Portal(account_id=call.account.id, locales=["en"], created_at=call.chatwoot.clock.now(call.account.id))
    _assign_portal(call, row)
    return ok(shapes.portal(call.chatwoot.view, call.chatwoot.store.portals.add(row), []))


async def update_portal(call: Call) -> Response:
    """Change a portal."""
    row = _portal(call)
    _assign_portal(call, row)
    call.chatwoot.store.portals.save(row)
    return ok(shapes.portal(call.chatwoot.view, row, _articles(call, row)))


async def create_category(call: Call) -> Response:
    """A new heading."""
    row, params = _portal(call), call.params.nested("category")
    name, slug = params.text("name"), params.text("slug")
    locale = params.text("locale") or row.locales[0]
    if not name or not slug:
        raise invalid(f"{'Slug' if name else 'Name'} can't be blank", "slug" if name else "name")
    if locale not in row.locales:
        raise invalid(f"Locale {locale} of category is not part of portal's {row.locales}.", "locale")
    made = Category(
        account_id=call.account.id,
        portal_id=row.id,
        name=name,
        slug=slug,
        locale=locale,
        description=params.text("description"),
        icon=params.text("icon") or "",
        position=params.integer("position"),
    )
    return ok({"payload": shapes.category(call.chatwoot.store.categories.add(made))})


async def articles(call: Call) -> Response:
    """25 a page, those changed last first; the counts are of all statuses (articles_controller.rb)."""
    row, params = _portal(call), call.params
    own = _articles(call, row)
    found, slug = _searched(call, own), params.text("category_slug")
    status, author = params.text("status"), params.integer("author_id")
    listed = [
        each
        for each in found
        if (not status or each.status == _status(status)) and (author is None or each.author_id == author)
    ]
    if slug:
        listed.sort(key=lambda each: each.position or 0)
    else:
        listed.sort(key=lambda each: (each.updated_at, each.id), reverse=True)
    number = max(params.integer("page") or 1, 1)
    page = listed[(number - 1) * PAGE : number * PAGE]
    asks = call.actor if isinstance(call.actor, User) else User()
    return ok(shapes.articles(call.chatwoot.view, page, found, own, asks, number))


async def article(call: Call) -> Response:
    """One article."""
    return ok({"payload": shapes.article(call.chatwoot.view, _article(call))})


async def create_article(call: Call) -> Response:
    """A new article, a draft unless it says otherwise."""
    portal_row, now = _portal(call), call.chatwoot.clock.now(call.account.id)
    author_id = call.params.nested("article").integer("author_id")
    author = call.chatwoot.store.users.get(author_id)
    if author is None or author.account_id != call.account.id:
        raise invalid("Author must exist", "author")
    row = Article(account_id=call.account.id, portal_id=portal_row.id, author_id=author.id, created_at=now)
    _assign_article(call, portal_row, row)
    row.slug = call.params.nested("article").text("slug") or f"{int(now)}-{_parameterized(row.title)}"
    return ok({"payload": shapes.article(call.chatwoot.view, call.chatwoot.store.articles.add(row))})


async def update_article(call: Call) -> Response:
    """Change an article."""
    row = _article(call)
    _assign_article(call, _portal(call), row)
    call.chatwoot.store.articles.save(row)
    return ok({"payload": shapes.article(call.chatwoot.view, row)})


async def delete_article(call: Call) -> Response:
    """Remove an article."""
    call.chatwoot.store.articles.delete(_article(call))
    return ok()


def _portal(call: Call) -> Portal:
    slug = str(call.request.path_params["portal_slug"])
    for row in call.chatwoot.store.portals:
        if row.account_id == call.account.id and row.slug == slug:
            return row
    raise not_found()


def _articles(call: Call, row: Portal) -> list[Article]:
    return [article for article in call.chatwoot.store.articles if article.portal_id == row.id]


def _article(call: Call) -> Article:
    row = call.chatwoot.store.articles.get(call.path_id("article_id"))
    if row is None or row.portal_id != _portal(call).id:
        raise not_found()
    return row


def _searched(call: Call, rows: list[Article]) -> list[Article]:
    """By category, language and words (Article.search)."""
    params, categories = call.params, call.chatwoot.store.categories
    slug, locale = params.text("category_slug"), params.text("locale")
    words = (params.text("query") or "").lower().split()

    def fits(row: Article) -> bool:
        heading = categories.get(row.category_id)
        text = f"{row.title} {row.description or ''} {row.content or ''}".lower()
        return (
            (not slug or (heading is not None and heading.slug == slug))
            and (not locale or row.locale == locale)
            and all(word in text for word in words)
        )

    return [row for row in rows if fits(row)]


def _status(given: str) -> str:
    """A status by name or number, as Rails' enumerations take it."""
    return ARTICLE_STATUSES[int(given)] if given in {"0", "1", "2"} else given


def _assign_portal(call: Call, row: Portal) -> None:
    params = call.params.nested("portal")
    names = ("name", "slug", "color", "page_title", "header_text", "homepage_link", "custom_domain")
    said = {name: params.text(name) or getattr(row, name) for name in names if name in params}
    name, slug = said.get("name", row.name), said.get("slug", row.slug)
    if not name or not slug:
        raise invalid(f"{'Slug' if name else 'Name'} can't be blank", "slug" if name else "name")
    if any(other.slug == slug and other.id != row.id for other in call.chatwoot.store.portals):
        raise invalid("Slug has already been taken", "slug")
    config = Params(params.object("config"))
    locales = list(dict.fromkeys(filter(None, config.texts("allowed_locales"))))[:MAX_LOCALES] or row.locales
    first = config.text("default_locale")
    row.locales = sorted(locales, key=lambda locale: locale != first)
    row.archived = params.flag("archived") if "archived" in params else row.archived
    for name, value in said.items():
        setattr(row, name, value)


def _assign_article(call: Call, portal_row: Portal, row: Article) -> None:
    params = call.params.nested("article")
    title = params.text("title") if "title" in params else row.title
    content = params.text("content") if "content" in params else row.content
    status = _status(params.text("status") or row.status)
    category_id = params.integer("category_id") if "category_id" in params else row.category_id
    category = call.chatwoot.store.categories.get(category_id)
    if not title:
        raise invalid("Title can't be blank", "title")
    if status not in ARTICLE_STATUSES:
        raise invalid(f"'{status}' is not a valid status", "status")
    if status == "published" and not content:
        raise invalid("Content can't be blank", "content")
    if category is not None and category.portal_id != portal_row.id:
        raise not_found()
    row.title, row.content, row.status = title, content, status
    row.category_id = category.id if category else None
    row.locale = category.locale if category else params.text("locale") or portal_row.locales[0]
    row.description = params.text("description") if "description" in params else row.description
    row.position = params.integer("position") if "position" in params else row.position
    row.meta = params.object("meta") if "meta" in params else row.meta
    row.updated_at = call.chatwoot.clock.now(call.account.id)


def _parameterized(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


ONE = "/portals/{portal_slug}"
ROUTES: list[RouteSpec] = [
    ("GET", "/portals", portals, Access.USER),
    ("POST", "/portals", create_portal, Access.ADMINISTRATOR),
    ("GET", ONE, portal, Access.USER),
    ("PATCH", ONE, update_portal, Access.ADMINISTRATOR),
    ("POST", f"{ONE}/categories", create_category, Access.ADMINISTRATOR),
    ("GET", f"{ONE}/articles", articles, Access.USER),
    ("POST", f"{ONE}/articles", create_article, Access.ADMINISTRATOR),
    ("GET", f"{ONE}/articles/{{article_id}}", article, Access.USER),
    ("PATCH", f"{ONE}/articles/{{article_id}}", update_article, Access.ADMINISTRATOR),
    ("DELETE", f"{ONE}/articles/{{article_id}}", delete_article, Access.ADMINISTRATOR),
]
