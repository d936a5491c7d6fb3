"""Takes a picture of a report with a Chromium that is installed on this machine.

Usage: python docs/picture.py runs/demo docs/images/report.png [--dark] [--width 1280] [--height 900] [--full]
       [--open TASK] [--element SELECTOR] [--chromium /usr/bin/chromium]

`--open TASK` opens the instruction of a task that flips most answers; `--element` takes one part of the page alone.
Needs the Python package `playwright`; its own browsers are not used.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)


def main() -> None:
    """Parse the arguments and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="a run folder, or a report.html")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--full", action="store_true", help="the whole page instead of its first screen")
    parser.add_argument("--open", metavar="TASK", help="open the first instruction of this task")
    parser.add_argument("--element", metavar="SELECTOR", help="one part of the page, by CSS selector")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "/usr/bin/chromium")
    arguments = parser.parse_args()
    report = arguments.report / "report.html" if arguments.report.is_dir() else arguments.report
    if not report.is_file():
        parser.error(f"{report} does not exist: write it with `isophrase report` first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=[*FLAGS])
        page = browser.new_page(
            viewport={"width": arguments.width, "height": arguments.height},
            color_scheme="dark" if arguments.dark else "light",
            reduced_motion="reduce",
        )
        page.goto(report.resolve().as_uri())
        if arguments.open:
            _open(page, arguments.open)
        arguments.picture.parent.mkdir(parents=True, exist_ok=True)
        if arguments.element:
            part = page.locator(arguments.element).first
            part.scroll_into_view_if_needed()
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1500)  # what is drawn when it is seen
            part.screenshot(path=arguments.picture)
        else:
            page.screenshot(path=arguments.picture, full_page=arguments.full)
        browser.close()
    print(f"wrote {arguments.picture}")


def _open(page: Page, task: str) -> None:
    section = page.locator("section.panel", has=page.get_by_role("heading", name=task)).first
    section.locator("details.instructions > summary").click()
    unlike = section.locator("table.rows > thead th[data-column=unlike] button")
    if unlike.count():
        unlike.click()
    section.locator("button.opener").first.click()
    section.locator("button.example").first.click()
    section.locator("tr.open").evaluate("node => node.scrollIntoView()")


if __name__ == "__main__":
    main()
