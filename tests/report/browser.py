"""The browser of the tests, axe-core, and what several tests do with a page."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

CHROMIUM = os.environ.get("ISOPHRASE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
NEEDS_CHROMIUM = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}: install it, or set ISOPHRASE_CHROMIUM"
)

RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
AXE = "axe-core@4.14.1"


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe(request):
    """The source of axe-core from the npm registry, fetched once and kept in pytest's cache."""
    folder = Path(request.config.cache.mkdir("axe-core-4.14.1"))
    script = folder / "package" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"npm is not installed: {AXE} can't be fetched")
        command = [npm, "pack", AXE, "--silent", "--pack-destination", str(folder)]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"{AXE} can't be fetched from the npm registry: {error}")
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extract("package/axe.min.js", folder, filter="data")
    return script.read_text(encoding="utf-8")


def open_table(page, place=0):
    section = page.locator("section.panel").nth(place)
    section.locator("details.instructions > summary").click()
    return section


def visible_ids(section):
    return section.locator("table.rows > tbody > tr:not(.detail):visible .id").all_inner_texts()


def findings(page, axe):
    """Serious and critical findings, a line each."""
    page.evaluate(axe + "; undefined")
    found = page.evaluate("async (rules) => (await axe.run(document, {runOnly: rules})).violations", RULES)
    return [
        f"{item['impact']} {item['id']}: {item['help']} — {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for item in found
        if item["impact"] in ("serious", "critical", "moderate")
        for node in item["nodes"]
    ]
