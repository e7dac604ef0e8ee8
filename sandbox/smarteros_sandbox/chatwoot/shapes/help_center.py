"""The help centre as the account API shows it (app/views/api/v1/accounts/portals, categories and articles)."""

from __future__ import annotations

from collections.abc import Sequence

from smarteros_sandbox.chatwoot.records import Article, Category, JsonObject, Portal, User
from smarteros_sandbox.chatwoot.shapes import api
from smarteros_sandbox.chatwoot.view import View


def portal(view: View, row: Portal, articles: Sequence[Article] | None = None) -> JsonObject:
    """portals/_portal.json.jbuilder. The list of portals knows no articles, so its counts of them are empty."""
    store = view.store
    own = [article for article in store.articles if article.portal_id == row.id]
    categories = [category for category in store.categories if category.portal_id == row.id]
    return {
        "id": row.id,
        "color": row.color,
        "custom_domain": row.custom_domain,
        "header_text": row.header_text,
        "homepage_link": row.homepage_link,
        "name": row.name,
        "page_title": row.page_title,
        "slug": row.slug,
        "archived": row.archived,
        "account_id": row.account_id,
        "config": {
            "allowed_locales": [
                {
                    "code": locale,
                    "articles_count": sum(article.locale == locale for article in own),
                    "categories_count": sum(category.locale == locale for category in categories),
                }
                for locale in row.locales
            ],
            "default_locale": row.locales[0],
            "layout": "classic",
            "social_profiles": {},
        },
        "meta": {
            "all_articles_count": len(articles or ()),
            "archived_articles_count": None if articles is None else _count(articles, "archived"),
            "published_count": None if articles is None else _count(articles, "published"),
            "draft_articles_count": None if articles is None else _count(articles, "draft"),
            "categories_count": len(categories),
            "default_locale": row.locales[0],
        },
    }


def category(row: Category) -> JsonObject:
    """categories/_category.json.jbuilder, as far as integrations read it."""
    return {
        "id": row.id,
        "name": row.name,
        "slug": row.slug,
        "locale": row.locale,
        "description": row.description,
        "position": row.position,
        "icon": row.icon,
        "account_id": row.account_id,
        "meta": {"articles_count": 0},
    }


def article(view: View, row: Article) -> JsonObject:
    """articles/_article.json.jbuilder."""
    heading = view.store.categories.get(row.category_id)
    author = view.store.users.get(row.author_id)
    data: JsonObject = {
        "id": row.id,
        "slug": row.slug,
        "title": row.title,
        "content": row.content,
        "description": row.description,
        "status": row.status,
        "position": row.position,
        "account_id": row.account_id,
        "updated_at": int(row.updated_at),
        "meta": row.meta,
        "category": {
            "id": row.category_id,
            "name": heading.name if heading else None,
            "slug": heading.slug if heading else None,
            "locale": heading.locale if heading else None,
        },
        "views": row.views,
        "associated_articles": [],
    }
    if view.profile.articles_tell_locale:
        data |= {"locale": row.locale, "associated_article_id": None}
    if author is not None:
        data["author"] = api.agent(author)
    return data


def articles(
    view: View, page: Sequence[Article], found: Sequence[Article], own: Sequence[Article], asks: User, number: int
) -> JsonObject:
    """articles/index.json.jbuilder: a page of those ``found``, which the counts are of, among the portal's own."""
    return {
        "payload": [article(view, row) for row in page],
        "meta": {
            "all_articles_count": len(own),
            "archived_articles_count": _count(found, "archived"),
            "articles_count": len(found),
            "current_page": number,
            "draft_articles_count": _count(found, "draft"),
            "mine_articles_count": sum(row.author_id == asks.id for row in found),
            "published_count": _count(found, "published"),
        },
    }


def _count(rows: Sequence[Article], status: str) -> int:
    return sum(row.status == status for row in rows)
