"""A page opened in a browser, which may not complain or ask for anything."""

from functools import cache

import pytest

from isophrase.report.html import render_html
from tests.report.synthetic import run


@cache
def standard_page():
    return render_html(run())


def rendered(view):
    return standard_page() if view is run() else render_html(view)


@pytest.fixture
def show(browser, tmp_path):
    """Opens a view, or a page's text; in the end nothing was complained of, nor asked of a network."""
    seen, contexts = [], []

    def opened(view, *, anchor="", **options):
        path = tmp_path / "report.html"
        path.write_text(view if isinstance(view, str) else rendered(view), encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("console", lambda message: seen.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: seen.append(f"error: {error}"))
        page.on("dialog", lambda dialog: seen.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asks(request.url) and seen.append(f"request: {request.url}"))
        page.goto(path.as_uri() + anchor)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert seen == []


def asks(url):
    """Whether an address is somewhere else: a file is the page, and data and blobs are made in it."""
    return not url.startswith(("file:", "data:", "blob:"))
