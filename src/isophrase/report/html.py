"""The page: one self-contained HTML file that needs no network and is forbidden to ask for any.

Knows Jinja2 and the templates beside it. Text of any origin is escaped by the templates; the only text that is passed
through is the SVG and JSON made by this package.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from isophrase import __version__
from isophrase.report import distances, numbers
from isophrase.report.distance_page import inside
from isophrase.report.encode import encode
from isophrase.report.inference import inference
from isophrase.report.marks import SHAPES, mark_code
from isophrase.report.page import condition_pages
from isophrase.report.text import visible
from isophrase.report.view import RunView

_SCRIPTS = ("data.js", "diff.js", "detail.js", "tables.js", "taking.js", "points.js", "page.js")


def render_html(view: RunView) -> str:
    """The whole report as one HTML text.

    The same view gives the same text. It can be encoded in UTF-8, whatever the texts of the run hold.
    """
    code = mark_code(view.panels)
    style, script = _file("style.css"), "\n".join(map(_file, _SCRIPTS))
    pages = condition_pages(view)
    return (
        _environment()
        .get_template("page.html")
        .render(
            view=view,
            pages=pages,
            inside=inside(view, code),
            blocks=[Markup(block) for block in encode(view.panels)],
            shapes=SHAPES,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
            version=__version__,
        )
    )


def _policy(style: str, script: str) -> str:
    """A Content-Security-Policy: this style, this script, and nothing else."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _file(name: str) -> str:
    return files("isophrase.report").joinpath("templates", name).read_text(encoding="utf-8").strip()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.globals.update(
        hundredths=numbers.hundredths,
        interval=numbers.interval,
        with_interval=numbers.with_interval,
        count=numbers.count,
        decimal=distances.decimal,
        inference=inference,
    )
    return environment


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) or not isinstance(value, str) else visible(value)
