"""Take the picture in docs/report.md: `make report-picture`, which makes the page of the demo's history first."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

page_file, target = (Path(argument).resolve() for argument in sys.argv[1:])
with sync_playwright() as driver:
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=sandbox)
    page = browser.new_page(viewport={"width": 1200, "height": 1100}, color_scheme="light")
    page.goto(f"{page_file.as_uri()}#metric=eu-west.web00.nginx.requests.000000")
    page.wait_for_function("document.querySelector('#series').data", timeout=120_000)
    page.screenshot(path=target)
    browser.close()
