"""`python -m tests.site build/site` opens every page of the built site in a headless Chromium, as wide as a phone is.

No dead link, no word on the console, no sideways scrolling. Without a Chromium it says so and passes; where
`UPSERT_GUARD_REQUIRE` lists `chromium` it fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PHONE = 390
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")

HARNESS = """<!doctype html><pre id="seen"></pre><script>
(async () => {
  const seen = [];
  for (const page of PAGES) {
    const frame = document.createElement("iframe");
    frame.style.width = "WIDTHpx";
    frame.style.height = "800px";
    await new Promise((loaded) => { frame.onload = loaded; frame.src = page; document.body.append(frame); });
    const inside = frame.contentDocument;
    const root = inside.documentElement;
    seen.push({
      page,
      width: Math.max(root.scrollWidth, inside.body.scrollWidth),
      ids: [...inside.querySelectorAll("[id]")].map((each) => each.id),
      links: [...inside.querySelectorAll("a[href], link[href]")].map((each) => each.href),
      broken: [...inside.images].filter((each) => each.complete && !each.naturalWidth).map((each) => each.src),
    });
    frame.remove();
  }
  document.getElementById("seen").textContent = JSON.stringify(seen);
})();
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves the site and writes no log; the harness is a page beside it."""

    harness = b""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path != "/harness":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.harness)


def main() -> int:
    """The exit code: 1 where a page has a fault, each of which is printed."""
    browser = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if browser is None:
        sys.stdout.write("No Chromium on this machine: the site was not opened.\n")
        return int("chromium" in os.environ.get("UPSERT_GUARD_REQUIRE", "").split(","))
    site = Path(sys.argv[1])
    pages = sorted(
        "/" + path.relative_to(site).as_posix().removesuffix("index.html")
        for path in site.rglob("*.html")
        if path.name != "404.html"
    )
    address, seen, console = opened(browser, site, pages)
    faults = [*console, *(fault for each in seen for fault in faults_of(each, seen, site, address))]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{len(seen)} pages were opened: {len(faults)} faults.\n")
    return 1 if faults or len(seen) != len(pages) else 0


def opened(
    browser: str, site: Path, pages: list[str]
) -> tuple[str, list[dict[str, Any]], list[str]]:
    """Return the address, what each page has, and what is on the console."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Quiet.harness = (
            HARNESS.replace("PAGES", json.dumps(pages)).replace("WIDTH", str(PHONE)).encode()
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with TemporaryDirectory() as profile:
            ran = subprocess.run(
                [
                    *(
                        browser,
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--enable-logging=stderr",
                    ),
                    *(f"--user-data-dir={profile}", "--virtual-time-budget=120000", "--dump-dom"),
                    f"{address}/harness",
                ],
                capture_output=True,
                encoding="utf-8",
                timeout=180,
                check=True,
            )
        server.shutdown()
    text = re.search(r'<pre id="seen">(.*?)</pre>', ran.stdout, re.DOTALL)
    errors = [line for line in ran.stderr.splitlines() if ":CONSOLE:" in line]
    return address, json.loads(unescape(text[1])) if text and text[1] else [], errors


def faults_of(
    page: dict[str, Any], seen: list[dict[str, Any]], site: Path, address: str
) -> list[str]:
    """Return a line a fault: what is wider than a phone, a picture without a size, a link that leads nowhere."""
    ids = {each["page"]: set(each["ids"]) for each in seen}
    faults = [f"{page['page']}: {src} is no picture" for src in page["broken"]]
    if page["width"] > PHONE:
        faults.append(f"{page['page']}: {page['width']} pixels wide, on a phone of {PHONE}")
    for link in page["links"]:
        if not link.startswith(address):
            continue
        path, _, anchor = link.removeprefix(address).partition("#")
        exists = path in ids or (site / path.strip("/")).is_file()
        if not exists or (anchor and anchor not in ids.get(path, {anchor})):
            faults.append(f"{page['page']}: {link.removeprefix(address)} leads nowhere")
    return faults


if __name__ == "__main__":
    sys.exit(main())
