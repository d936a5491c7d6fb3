"""The page: one self-contained HTML file that needs no network and is forbidden to ask for any.

Knows Jinja2 and the templates beside it. Text of any origin is escaped by the templates; the only text that is passed
through is the SVG and JSON made by this package.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from isophrase import __version__
from isophrase.report import distances, numbers
from isophrase.report.compare_page import compare_pages, signed
from isophrase.report.comparison import ComparisonView
from isophrase.report.distance_page import inside
from isophrase.report.encode import encode
from isophrase.report.inference import inference
from isophrase.report.marks import SHAPES, mark_code
from isophrase.report.page import condition_pages, lazy_rows
from isophrase.report.text import visible
from isophrase.report.view import RunView

_SCRIPTS = (
    "data.js",
    "diff.js",
    "detail.js",
    "tables.js",
    "rows.js",
    "taking.js",
    "points.js",
    "compare.js",
    "page.js",
)


def render_html(view: RunView, comparisons: Sequence[ComparisonView] = (), *, home: str = "") -> str:
    """The whole report as one HTML text.

    The same view gives the same text. It can be encoded in UTF-8, whatever the texts of the run hold.

    Args:
        view: What is shown; it holds the panels of both sides of each comparison.
        comparisons: What was compared.
        home: Where a list of all reports is; empty: nowhere.
    """
    code = mark_code(view.panels)
    style, script = _file("style.css"), "\n".join(map(_file, _SCRIPTS))
    pages = condition_pages(view)
    dense = {panel.index: lazy_rows(panel) for page in pages for panel in page.panels if panel.is_dense}
    return (
        _environment()
        .get_template("page.html")
        .render(
            view=view,
            pages=pages,
            inside=inside(view, code),
            comparisons=compare_pages(view, comparisons, code),
            home=home,
            blocks=[Markup(block) for block in encode(view.panels, dense)],
            shapes=SHAPES,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
            version=__version__,
        )
    )


@dataclass(frozen=True)
class Listed:
    """One run in a list of runs.

    Attributes:
        name: What it is called in the address.
        title: Its own name.
        begun: When.
        models: Its models.
        tasks: Its tasks.
    """

    name: str
    title: str
    begun: str
    models: tuple[str, ...]
    tasks: tuple[str, ...]


def render_index(folder: str, runs: Sequence[Listed], broken: Sequence[tuple[str, str]]) -> str:
    """A list of runs, with a form to compare two of them.

    Args:
        folder: What the folder of the runs is called.
        runs: The runs.
        broken: Names of folders that look like runs, and why they can't be read.
    """
    style = _file("style.css")
    template = _environment().get_template("index.html")
    policy = _policy(style, None, form="'self'")
    return template.render(
        folder=folder, runs=runs, broken=broken, style=Markup(style), policy=policy, version=__version__
    )


def render_plots(name: str, facts: Sequence[str], plots: Sequence[tuple[str, Markup]]) -> str:
    """A page of plots without scripts.

    Args:
        name: What they are of.
        facts: Lines about it.
        plots: Titles with inline SVG made by this package.
    """
    style = _file("style.css")
    template = _environment().get_template("training.html")
    return template.render(name=name, facts=facts, plots=plots, style=Markup(style), policy=_policy(style, None))


def _policy(style: str, script: str | None, form: str = "'none'") -> str:
    """A Content-Security-Policy: this style, this script, and nothing else."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            *([] if script is None else [f"script-src '{_hash(script)}'"]),
            "img-src data:",
            "base-uri 'none'",
            f"form-action {form}",
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
        signed=signed,
        inference=inference,
    )
    return environment


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) or not isinstance(value, str) else visible(value)
