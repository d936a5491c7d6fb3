"""Where the browser of the tests is, and what several of them do with a page."""

import os
import shutil
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


def open_table(page, place=0):
    section = page.locator("section.panel").nth(place)
    section.locator("details.instructions > summary").click()
    return section


def visible_ids(section):
    return section.locator("table.rows > tbody > tr:not(.detail):visible .id").all_inner_texts()
