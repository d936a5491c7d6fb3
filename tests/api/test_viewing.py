"""A folder of runs as pages: the list, a report, a comparison, and nothing outside the folder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from isophrase.errors import ConfigError
from tests.report.browser import NEEDS_CHROMIUM
from tests.tiny_models import tiny_model

pytest.importorskip("torch", reason="needs isophrase[local]")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning")

EXPERIMENT = """
name: {name}
models: [{{name: tiny, source: {source}, device: cpu, dtype: float32}}]
tasks:
  - {{task: sentiment, limit: 12, max_instructions: 7}}
  - {{task: topic, limit: 12, max_instructions: 7}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two runs of two models of one name, a folder that is none, and a damaged one."""
    from isophrase.api import runs

    base = tmp_path_factory.mktemp("view")
    root = base / "runs"
    for name, seed in (("before", 0), ("after", 1)):
        source = tiny_model(base / f"tiny-{name}", seed=seed)
        path = base / f"{name}.yaml"
        path.write_text(EXPERIMENT.format(name=name, source=source))
        runs.evaluate(path, root / name)
    (root / "notes").mkdir()
    (root / "damaged").mkdir()
    (root / "damaged" / "manifest.json").write_text("{")
    shutil.copytree(root / "before", base / "outside")
    (root / "linked").symlink_to(base / "outside", target_is_directory=True)
    return root


@pytest.fixture(scope="module")
def pages(folder):
    from isophrase.api.viewing import Pages

    return Pages(folder)


def test_the_list_has_the_runs_and_says_what_can_not_be_read(pages):
    page = pages((), {})
    assert re.findall(r'href="run/([^"]+)"', page) == ["after", "before"]
    assert "a readable manifest.json" in page
    assert "notes" not in re.sub(r"class=\"notes\"", "", page.split("</style>")[1])


def test_a_run_is_its_report_made_once(pages, folder, monkeypatch):
    from isophrase.api import viewing

    page = pages(("run", "before"), {})
    assert '<h2 id="p0-title"><bdi>sentiment</bdi>' in page
    assert 'href="../"' in page
    monkeypatch.setattr(viewing, "read_run", lambda _: 1 / 0)
    assert pages(("run", "before"), {}) == page


def test_two_runs_are_compared_under_names_that_tell_them_apart(pages):
    page = pages(("compare",), {"before": "before", "after": "after"})
    assert "<bdi>tiny (before)</bdi> → <bdi>tiny (after)</bdi>" in page
    assert page.count('class="fold compared"') == 2
    assert page.count('data-panel="') >= 4


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (("run", ".."), {}), (("run", "../outside"), {}), (("run", "linked"), {}), (("run", "notes"), {}),
        (("run", "/etc"), {}), (("run", "before", "manifest.json"), {}), (("run",), {}), (("manifest.json",), {}),
        (("compare",), {}), (("compare",), {"before": "before", "after": "../outside"}),
        (("compare",), {"before": "linked", "after": "before"}),
    ],
)  # fmt: skip
def test_nothing_outside_the_folder_or_the_list_is_reached(pages, words, query):
    assert pages(words, query) is None


def test_nothing_is_written(pages, folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    pages((), {})
    pages(("compare",), {"before": "after", "after": "before"})
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def test_a_run_folder_itself_can_be_viewed(folder):
    from isophrase.api.viewing import Pages

    assert 'href="run/before"' in Pages(folder / "before")((), {})


def test_a_folder_that_is_none_is_one_clear_error(tmp_path):
    from isophrase.api.viewing import checked_folder

    with pytest.raises(ConfigError, match="a folder of runs"):
        checked_folder(tmp_path / "nothing")


def test_the_command_prints_an_address_that_answers(folder):
    command = [sys.executable, "-c", "from isophrase.cli import main; main()", "view", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert "before" in answer.read().decode()
        process.terminate()


@NEEDS_CHROMIUM
def test_a_comparison_opens_in_the_browser_from_the_list(folder, browser):
    from isophrase.api.viewing import Pages
    from isophrase.serving import Served

    served, seen = Served(Pages(folder)), []
    page = browser.new_page()
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("request", lambda request: seen.append(request.url) if elsewhere(request.url, served) else None)
    page.goto(served.address)
    page.locator("select[name=before]").select_option("before")
    page.locator("select[name=after]").select_option("after")
    page.get_by_role("button", name="Compare").click()
    box = page.locator("details.compared").first
    box.locator("> summary").click()
    box.locator("button.opener").first.click()
    box.locator("button.example").first.click()
    assert box.locator("table.options").count() == 2
    assert box.locator(".opened h3").all_inner_texts() == ["Before", "After"]
    changed = box.locator("tr[data-row] td:nth-child(4)").first.get_attribute("data-value")
    assert json.loads(changed) != 0
    page.get_by_role("link", name="All runs").click()
    page.locator("table.index").wait_for()
    page.close()
    served.close()
    assert seen == []


def elsewhere(url, served):
    return not url.startswith((served.address, "data:"))
