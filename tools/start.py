"""Start the book from this folder, without internet.

    Windows:       py start.py
    macOS, Linux:  python3 start.py

The first time it installs the book into the folder a-map-of-alice of your home, which takes some minutes. Then it says
whether this machine is ready, opens the website, and opens the notebooks: copies in your home, so that your work stays
when the stick is gone. With the word "site" behind it, only the website is opened, and any Python from 3.9 on will do.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = Path(os.environ.get("ALICE_HOME") or Path.home() / "a-map-of-alice")
KINDS = {".mjs": "text/javascript", ".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
PROCESSORS = {"linux": "x86_64", "macos": "arm64", "windows": "amd64"}  # those that bundle.py fetches wheels for
MACOS = 14  # the first release of it that these wheels are for


class Handler(SimpleHTTPRequestHandler):
    """Files with the kinds that browsers want, whatever this machine has been told of them."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | KINDS

    def log_message(self, *arguments):
        pass


def serve_site():
    """Serve the website on this machine, on any free port; returns the server, which runs in a thread of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(HERE / "site")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def processor():
    """That of this Python: on Windows it may be another than the machine's, on a Mac it may serve both."""
    return platform.machine() if sys.platform == "darwin" else sysconfig.get_platform().split("-")[-1]


def unfit(about, system=sys.platform, version=sys.version_info, made_for=None, macos=None):
    """Why the wheels of this folder do not fit this machine, a sentence; "" where they do."""
    here, mine = SYSTEMS.get(system, system), tuple(version[:3])
    if here not in about["platforms"]:
        return f"this folder was made for {' and '.join(about['platforms'])}, and this is {here}"
    made_for = made_for or processor()
    if made_for != PROCESSORS[here]:
        return f"its wheels are for {PROCESSORS[here]}, and this Python is for {made_for}"
    macos = macos or platform.mac_ver()[0]
    if here == "macos" and int(macos.split(".")[0]) < MACOS:
        return f"its wheels want macOS {MACOS} or later, and this is macOS {macos}"
    releases = [tuple(map(int, python.split("."))) for python in about["pythons"]]
    if not any(oldest[:2] == mine[:2] and oldest <= mine for oldest in releases):
        wheels, python = ", ".join(about["pythons"]), ".".join(map(str, mine))
        return f"its wheels want Python {wheels} or a later release of these, and this is {python}"
    return ""


def program(name):
    """Where the environment keeps a program."""
    return HOME / "venv" / ("Scripts" if os.name == "nt" else "bin") / (name + (".exe" if os.name == "nt" else ""))


def install():
    """Make the environment in HOME, unless it is there and whole."""
    done = HOME / "venv" / "installed.txt"
    wheels = "\n".join(sorted(path.name for path in (HERE / "wheels").iterdir()))
    if done.exists() and done.read_text(encoding="utf-8") == wheels:
        return
    print(f"Installing the book into {HOME}, some minutes ...", flush=True)
    shutil.rmtree(str(HOME / "venv"), ignore_errors=True)
    subprocess.check_call([sys.executable, "-m", "venv", str(HOME / "venv")])
    quiet = ["--quiet", "--disable-pip-version-check", "--no-index", "--find-links", str(HERE / "wheels")]
    subprocess.check_call([str(program("python")), "-m", "pip", "install", *quiet, "hspace", "jupyterlab"])
    done.write_text(wheels, encoding="utf-8")


def copy_notebooks():
    """Those that are not in HOME yet: what somebody has worked on stays. A stick may be read-only, a copy is not."""
    target = HOME / "notebooks"
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted((HERE / "notebooks").glob("[!.]*.ipynb")):
        if not (target / path.name).exists():
            part = target / (path.name + ".part")
            shutil.copyfile(str(path), str(part))
            part.replace(target / path.name)


def wait():
    """Until Ctrl-C, which on Windows ends a sleep, and no wait for a lock before Python 3.14."""
    while True:
        time.sleep(60)


def main(words):
    if words not in ([], ["site"]):
        sys.exit("start.py knows one word, site; not {}".format(" ".join(words)))
    address = f"http://127.0.0.1:{serve_site().server_port}/"
    print(f"The website: {address}   (Ctrl-C ends it)", flush=True)
    webbrowser.open(address)
    if words:
        wait()
    wrong = unfit(json.loads((HERE / "about.json").read_text(encoding="utf-8")))
    if wrong:
        print(f"No notebooks here: {wrong}. The website works all the same.", flush=True)
        wait()
    install()
    copy_notebooks()
    subprocess.call([str(program("hspace")), "check"])
    subprocess.call([str(program("jupyter")), "lab", "--notebook-dir", str(HOME / "notebooks")])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit("this did not work: {}".format(" ".join(map(str, error.cmd))))
    except KeyboardInterrupt:
        pass
