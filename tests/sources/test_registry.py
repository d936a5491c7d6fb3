import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from isophrase.errors import SourceError
from isophrase.sources import registry
from isophrase.sources.registry import PipSettings, Release, download_release, pip_settings

CONTENT = bytes(range(256)) * 9000
RELEASE = Release("thing", "thing-1.0.tar.gz", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))

Answer = tuple[int, str, bytes]


class Index:
    """A package index on this machine: path -> answer; notes the headers of every request."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.announced: int | None = None
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.requests.append((self.path, dict(self.headers)))
                status, kind, body = index.pages.get(self.path, (404, "text/plain", b""))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(index.announced or len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.settings = PipSettings((f"http://{self.host}/simple",))

    def json_page(self, *links: str) -> None:
        page = json.dumps({"files": [{"filename": link, "url": link} for link in links]})
        self.pages["/simple/thing/"] = (200, "application/vnd.pypi.simple.v1+json", page.encode())


@pytest.fixture
def index():
    index = Index()
    thread = threading.Thread(target=index.server.serve_forever, args=(0.01,))
    thread.start()
    yield index
    index.server.shutdown()
    index.server.server_close()
    thread.join()


def _get(index: Index, folder: Path, progress: Callable[[str, int, int], None] = lambda *_: None, **changes) -> Path:
    return download_release(RELEASE, folder, progress, changes.get("settings", index.settings))


def _close_port() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return closed.getsockname()[1]


def test_a_file_is_found_through_the_json_page(index, tmp_path):
    index.json_page("../../files/thing-0.9.tar.gz", "../../files/thing-1.0.tar.gz")
    index.pages["/files/thing-1.0.tar.gz"] = (200, "application/gzip", CONTENT)
    steps = []
    path = _get(index, tmp_path, lambda *step: steps.append(step))
    assert path.read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == ["thing-1.0.tar.gz"]
    assert steps[-1] == ("downloading thing-1.0.tar.gz", len(CONTENT), len(CONTENT))
    assert [step[1] for step in steps] == sorted(step[1] for step in steps)
    assert index.requests[0][1]["Accept"].startswith("application/vnd.pypi.simple.v1+json")


def test_a_file_is_found_through_the_html_page(index, tmp_path):
    page = (
        b'<html><body><a href="/files/thing-1.0.tar.gz#sha256=00">thing-1.0.tar.gz</a><a name="x">x</a></body></html>'
    )
    index.pages["/simple/thing/"] = (200, "text/html; charset=utf-8", page)
    index.pages["/files/thing-1.0.tar.gz"] = (200, "application/gzip", CONTENT)
    assert _get(index, tmp_path).read_bytes() == CONTENT


def test_the_next_index_is_asked_where_the_first_lacks_the_file(index, tmp_path):
    index.json_page("/files/thing-1.0.tar.gz")
    index.pages["/files/thing-1.0.tar.gz"] = (200, "application/gzip", CONTENT)
    settings = PipSettings(
        (f"http://127.0.0.1:{_close_port()}/simple", f"http://{index.host}/other", *index.settings.indexes)
    )
    assert _get(index, tmp_path, settings=settings).read_bytes() == CONTENT


def test_an_index_in_a_folder_is_read(index, tmp_path):
    pages = tmp_path / "simple" / "thing"
    pages.mkdir(parents=True)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / RELEASE.filename).write_bytes(CONTENT)
    (pages / "index.html").write_text(f'<a href="../../files/{RELEASE.filename}">it</a>', encoding="utf-8")
    target = tmp_path / "target"
    target.mkdir()
    settings = PipSettings(((tmp_path / "simple").as_uri(),))
    assert _get(index, target, settings=settings).read_bytes() == CONTENT


def test_credentials_of_the_index_are_sent_to_it_and_never_shown(index, tmp_path):
    settings = PipSettings((f"http://us%40er:se%3Acret@{index.host}/simple",))
    with pytest.raises(SourceError) as caught:
        _get(index, tmp_path, settings=settings)
    assert "cret" not in str(caught.value)
    index.json_page("/files/thing-1.0.tar.gz")
    index.pages["/files/thing-1.0.tar.gz"] = (200, "application/gzip", CONTENT)
    _get(index, tmp_path, settings=settings)
    expected = "Basic " + base64.b64encode(b"us@er:se:cret").decode()
    assert all(headers["Authorization"] == expected for _, headers in index.requests)


def test_credentials_are_not_sent_to_another_host(index, tmp_path):
    other = Index()
    thread = threading.Thread(target=other.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        index.json_page(f"http://{other.host}/thing-1.0.tar.gz")
        other.pages["/thing-1.0.tar.gz"] = (200, "application/gzip", CONTENT)
        _get(index, tmp_path, settings=PipSettings((f"http://user:secret@{index.host}/simple",)))
    finally:
        other.server.shutdown()
        other.server.server_close()
        thread.join()
    assert "Authorization" in index.requests[0][1]
    assert "Authorization" not in other.requests[0][1]


@pytest.mark.parametrize(
    ("body", "announced", "message"),
    [
        (CONTENT[:-1] + b"!", None, f"expected thing-1.0.tar.gz with sha256 {RELEASE.sha256}; got "),
        (CONTENT + b"more", None, f"got more than {len(CONTENT)} bytes"),
        (CONTENT[:1000], None, "got 1000 bytes; try again"),
        (CONTENT[:1000], len(CONTENT), "got 1000"),
    ],
)
def test_a_file_that_is_not_the_pinned_one_leaves_nothing(index, tmp_path, body, announced, message):
    index.json_page("/files/thing-1.0.tar.gz")
    page = index.pages["/simple/thing/"]
    index.pages["/simple/thing/"] = (*page[:2], page[2] + b" " * ((announced or len(page[2])) - len(page[2])))
    index.pages["/files/thing-1.0.tar.gz"] = (200, "application/gzip", body)
    index.announced = announced
    with pytest.raises(SourceError) as caught:
        _get(index, tmp_path)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(index, tmp_path):
    index.json_page("/files/thing-1.0.tar.gz")
    index.pages["/files/thing-1.0.tar.gz"] = (200, "application/gzip", CONTENT)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _get(index, tmp_path, interrupt)
    assert list(tmp_path.iterdir()) == []


def test_indexes_that_have_not_got_it_or_refuse_are_named(index, tmp_path):
    index.json_page("/files/thing-2.0.tar.gz")
    port = _close_port()
    settings = PipSettings((*index.settings.indexes, f"http://{index.host}/none", f"http://127.0.0.1:{port}/simple"))
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        _get(index, tmp_path, settings=settings)
    assert time.monotonic() - started < 5
    assert str(caught.value) == (
        f"expected thing-1.0.tar.gz on the package index; got http://{index.host}/simple: has no thing-1.0.tar.gz, "
        f"http://{index.host}/none: HTTP status 404, http://127.0.0.1:{port}/simple: [Errno 111] Connection refused; "
        "check the network and pip's index settings (`pip config list`), then try again"
    )


def test_an_index_that_never_answers_is_given_up(index, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "INDEX_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = PipSettings((f"http://127.0.0.1:{silent.getsockname()[1]}/simple",))
        started = time.monotonic()
        with pytest.raises(SourceError, match="package index"):
            _get(index, tmp_path, settings=settings)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"files": [{}]}', b"\xff"])
def test_a_page_that_is_no_index_is_told(index, tmp_path, body):
    index.pages["/simple/thing/"] = (200, "application/json", body)
    with pytest.raises(SourceError, match="package index"):
        _get(index, tmp_path)


def test_pips_own_configuration_is_used(tmp_path, monkeypatch):
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = http://one.invalid/simple\nproxy = http://proxy.invalid:1\n"
        "extra-index-url = http://two.invalid/simple\n  http://three.invalid/simple\n"
        "[download]\nindex-url = http://four.invalid/simple\n",
        encoding="utf-8",
    )
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    settings = pip_settings()
    expected = tuple(f"http://{name}.invalid/simple" for name in ("four", "two", "three"))
    assert (settings.indexes, settings.proxy) == (expected, "http://proxy.invalid:1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://five.invalid/simple")
    assert pip_settings().indexes[0] == "http://five.invalid/simple"


def test_pips_default_index_is_taken_from_pip(monkeypatch):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    default = registry._pip_default_index()
    assert default.startswith("https://")
    assert default.endswith("/simple")


def test_without_pip_the_error_says_what_to_do(monkeypatch):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setattr(registry, "_pip", lambda *_: "")
    with pytest.raises(SourceError, match=r"ensurepip.*PIP_INDEX_URL"):
        pip_settings()
    monkeypatch.setenv("PIP_INDEX_URL", "http://five.invalid/simple")
    assert pip_settings().indexes == ("http://five.invalid/simple",)


def test_no_registry_is_written_in_the_code():
    source = Path(registry.__file__).parent
    for file in source.glob("*.py"):
        assert "https://" not in file.read_text(encoding="utf-8"), file.name
