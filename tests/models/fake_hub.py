"""A model hub on a loopback port: the few calls that fetching a repository makes."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def fake_hub(repositories: dict[str, Path], *, gated: tuple[str, ...] = ()) -> Iterator[str]:
    """Serve folders as repositories of one commit; yields the endpoint. Requests are listed in `fake_hub.requests`."""
    requests.clear()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            requests.append(self.path)
            path = self.path.partition("?")[0].strip("/")
            if path.startswith("api/models/"):
                name, _, revision = path.removeprefix("api/models/").partition("/revision/")
                self._list(name, revision, body=body)
                return
            name, _, rest = path.partition("/resolve/")
            revision, _, file = rest.partition("/")
            folder = repositories.get(name)
            if folder is None or not (folder / file).is_file():
                self._refuse(404, "RepoNotFound" if folder is None else "EntryNotFound")
                return
            content = (folder / file).read_bytes()
            self._send(200, content, body=body, extra={"ETag": f'"{hashlib.sha256(content).hexdigest()}"'})

        def _list(self, name: str, revision: str, *, body: bool) -> None:
            if name in gated:
                self._refuse(403, "GatedRepo")
            elif name not in repositories:
                self._refuse(404, "RepoNotFound")
            elif revision not in ("", "main", COMMIT):
                self._refuse(404, "RevisionNotFound")
            else:
                files = sorted(item.name for item in repositories[name].iterdir() if item.is_file())
                info = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]}
                self._send(200, json.dumps(info).encode(), body=body)

        def _refuse(self, status: int, code: str) -> None:
            self._send(status, b"{}", body=True, extra={"X-Error-Code": code})

        def _send(self, status: int, content: bytes, *, body: bool, extra: dict[str, str] | None = None) -> None:
            self.send_response(status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), "X-Repo-Commit": COMMIT}
            for key, value in (headers | (extra or {})).items():
                self.send_header(key, value)
            self.end_headers()
            if body and self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


requests: list[str] = []


@contextmanager
def silent_server() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def closed_address() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"
