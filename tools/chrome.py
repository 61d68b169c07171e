"""A browser on this machine, a server of a folder, and the wait until a page has settled; for print and tests."""

import gzip
import os
import shutil
import threading
from contextlib import contextmanager
from functools import lru_cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--proxy-server=127.0.0.1:9",  # nobody listens there; this machine itself is asked directly
]
SETTLE = """async () => {
  const soon = ms => new Promise(done => setTimeout(done, ms));
  for (const image of document.images) image.loading = 'eager';
  if (window.MathJax?.startup?.promise) await window.MathJax.startup.promise;
  await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
  const bare = () => [...document.querySelectorAll('.math')].find(e => !e.querySelector('mjx-container'));
  const dead = () => [...document.querySelectorAll('.hspace-live')].find(e => !e.querySelector('.hs-figure'));
  for (let i = 0; i < 50 && (bare() || dead()); i++) { dead()?.scrollIntoView(); await soon(100); }
  window.scrollTo(0, 0);
}"""


def find(playwright):
    """The path of a Chromium or Chrome on this machine, or None."""
    candidates = [
        os.environ.get("CHROMIUM"),
        *map(shutil.which, COMMANDS),
        *PLACES,
        playwright.chromium.executable_path,
    ]
    return next((path for path in candidates if path and Path(path).exists()), None)


class Handler(SimpleHTTPRequestHandler):
    """Files of the site as GitHub Pages sends them, text compressed; pages made in a test come first."""

    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def do_GET(self):
        path = urlparse(self.path).path
        file = Path(self.translate_path(path))
        file = file / "index.html" if file.is_dir() else file
        if path in self.server.made:
            content, kind = self.server.made[path].encode(), "text/html; charset=utf-8"
        elif file.is_file():
            content, kind = file.read_bytes(), self.guess_type(str(file))
        else:
            self.send_error(404)
            return
        self.send_response(200)
        if kind.startswith("text/") or kind.endswith(("javascript", "json", "svg+xml")):
            content = squeezed(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@lru_cache(maxsize=256)
def squeezed(content):
    return gzip.compress(content, 6)


@contextmanager
def serve(folder):
    """A server of `folder` on this machine. Yields it: `address`, and `made` {path: HTML} for pages of a test's own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Handler(*args, directory=str(folder)))
    server.daemon_threads, server.made = True, {}
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
