"""Pages over HTTP to this machine alone: loopback, a secret in the address, nothing but reading.

Knows HTTP. Knows no files: a request is handed on as words, never as a path, and what answers looks them up in what it
has listed itself.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from isophrase.errors import ConfigError, IsophraseError

LOOPBACK = "127.0.0.1"
_LONGEST = 4096

Site = Callable[[tuple[str, ...], Mapping[str, str]], str | None]
"""(words of the path, query) -> a page, or None where there is none."""

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Served:
    """A site that is being served, in a thread of its own.

    Args:
        site: What answers.
        port: 0 for any that is free.

    Raises:
        ConfigError: The port can't be had.
    """

    def __init__(self, site: Site, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(16)
        try:
            self._server = ThreadingHTTPServer((LOOPBACK, port), _handler(site, self.token))
        except (OSError, OverflowError) as error:
            raise ConfigError(f"a port that is free (not {port})", got=str(error), remedy="leave --port out") from None
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """Where it is; whoever knows it can read."""
        return f"http://{LOOPBACK}:{self.port}/{self.token}/"

    def wait(self) -> None:
        """Until it is closed."""
        self._thread.join()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _handler(site: Site, token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30
        server_version, sys_version = "isophrase", ""

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, *_: Any) -> None:
            """Keeps the address, which is a secret, out of the terminal."""

        def _answer(self, *, with_body: bool) -> None:
            port = self.server.server_port  # type: ignore[attr-defined]
            # A name that somebody made point here (DNS rebinding) is not one of these.
            if self.headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
                self._send(HTTPStatus.FORBIDDEN, "<!DOCTYPE html><title>Forbidden</title>", with_body)
                return
            status, page = _page(site, token, self.path)
            self._send(status, page, with_body)

        def _send(self, status: HTTPStatus, page: str, with_body: bool) -> None:
            content = page.encode("utf-8", "replace")
            self.send_response(status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if with_body:
                self.wfile.write(content)

    return Handler


def _page(site: Site, token: str, target: str) -> tuple[HTTPStatus, str]:
    nothing = HTTPStatus.NOT_FOUND, "<!DOCTYPE html><title>Not found</title>Not found"
    if len(target) > _LONGEST:
        return nothing
    parts = urlsplit(target)
    _, _, rest = parts.path.partition("/")
    given, slash, words = rest.partition("/")
    if not slash or not hmac.compare_digest(given.encode(), token.encode()):
        return nothing
    query = dict(parse_qsl(parts.query, max_num_fields=8))
    try:
        page = site(tuple(unquote(word) for word in words.split("/") if word), query)
    except IsophraseError as error:
        return HTTPStatus.OK, _plain(str(error))
    return nothing if page is None else (HTTPStatus.OK, page)


def _plain(message: str) -> str:
    from html import escape

    return f"<!DOCTYPE html><meta charset=utf-8><title>Isophrase</title><pre>error: {escape(message)}</pre>"
