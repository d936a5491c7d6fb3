"""Single files from the package index that pip is configured with, checked against a digest known beforehand.

Knows pip's configuration, the simple index (JSON and HTML) and streaming downloads. Runs no code of a package: `pip
download` would run a source package's setup.py for its metadata. Does not know what is in the files.
"""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from isophrase.errors import SourceError
from isophrase.network import call_within
from isophrase.sources.problems import listed

Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and how much there is (bytes)."""

INDEX_SECONDS = 15.0
"""How long an index has to answer."""
READ_SECONDS = 30.0
"""How long a download may stall."""

_CHUNK = 1 << 20
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


@dataclass(frozen=True, slots=True)
class Release:
    """One file of one release of a package, pinned.

    Attributes:
        project: The package's name.
        filename: The file's name.
        sha256: Its digest, 64 hexadecimal digits.
        size: Its size in bytes.
    """

    project: str
    filename: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class PipSettings:
    """What of pip's configuration matters here.

    Attributes:
        indexes: URLs of simple indexes, the main one first.
        certificates: A file of certificate authorities, or None.
        proxy: A proxy's URL, or None for what the environment says.
    """

    indexes: tuple[str, ...]
    certificates: str | None = None
    proxy: str | None = None


def download_release(release: Release, folder: Path, progress: Progress, settings: PipSettings | None = None) -> Path:
    """Get a file of a release into a folder, whole and with the right digest, or not at all.

    Args:
        release: Which file.
        folder: Where to; it exists.
        progress: Told of every megabyte.
        settings: Where from; None: as pip is configured.

    Returns:
        The file's path.

    Raises:
        SourceError: No index has it, or can be reached, or the file is not the pinned one.
    """
    target = folder / release.filename
    settings = settings or pip_settings()
    opener = _opener(settings)
    url = _find(release, settings, opener)
    handle, name = tempfile.mkstemp(prefix=f".{release.filename}.", suffix=".partial", dir=folder)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _stream(url, opener, file.write, release, progress)
        if digest != release.sha256:
            raise SourceError(
                f"{release.filename} with sha256 {release.sha256}",
                got=digest,
                remedy="try again; if it stays so, the index serves another file under this name",
            )
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def pip_settings() -> PipSettings:
    """The indexes that pip of this Python would use: its environment variables, its configuration files, its default.

    Raises:
        SourceError: There is no pip to ask, and no PIP_INDEX_URL.
    """
    given = _pip_configuration()

    def value(key: str) -> str:
        # Environment first, then the section of the command, then the global one, as pip itself does.
        return next(
            (given[f"{part}.{key}"] for part in (":env:", "download", "global") if f"{part}.{key}" in given), ""
        )

    main = value("index-url") or os.environ.get("PIP_INDEX_URL") or _pip_default_index()
    if not main:
        raise SourceError(
            "pip in this Python, to know the package index",
            got=f"none in {sys.executable}",
            remedy="run `python -m ensurepip`, or set PIP_INDEX_URL",
        )
    return PipSettings(
        indexes=(main, *value("extra-index-url").split()),
        certificates=value("cert") or None,
        proxy=value("proxy") or None,
    )


def _pip(*arguments: str) -> str:
    """What pip prints, or nothing where there is no pip."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    environment = {**os.environ, "COLUMNS": "400", "NO_COLOR": "1", "PIP_NO_INPUT": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _pip_configuration() -> Mapping[str, str]:
    lines = (line.partition("=") for line in _pip("config", "list").splitlines())
    values = {}
    for key, equals, value in lines:
        if equals:
            text = value.strip()
            quote = text[:1] if text[:1] in "'\"" and text[:1] == text[-1:] else ""
            # pip prints values as Python literals; a list of URLs keeps its line breaks as \n.
            values[key.strip()] = (text[1:-1] if quote else text).replace("\\n", "\n")
    return values


def _pip_default_index() -> str:
    match = re.search(r"--index-url <url>.*?\(default\s+(\S+?)\)", _pip("download", "--help"), re.DOTALL)
    return match[1] if match else ""


def _opener(settings: PipSettings) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cafile=settings.certificates)
    if settings.certificates is None:
        try:
            import certifi

            context.load_verify_locations(certifi.where())  # some Pythons know no authorities of their own
        except (ImportError, OSError):
            pass
    proxies = {"http": settings.proxy, "https": settings.proxy} if settings.proxy else None
    return urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=context)
    )


def _request(url: str, accept: str = "*/*") -> urllib.request.Request:
    """A request; a user name and password in the URL become a header."""
    parts = urllib.parse.urlsplit(url)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    request = urllib.request.Request(plain, headers={"Accept": accept, "User-Agent": "isophrase"})
    if parts.username is not None:
        user, password = urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _find(release: Release, settings: PipSettings, opener: urllib.request.OpenerDirector) -> str:
    """The URL of the file on the first index that has it."""
    failures = []
    for index in settings.indexes:
        page = f"{index.rstrip('/')}/{release.project}/"
        shown = _without_credentials(index)
        try:
            base, links = call_within(INDEX_SECONDS, lambda page=page: _links(page, opener))  # type: ignore[misc]
        except (OSError, ValueError, LookupError, TypeError) as error:  # no answer, or one that is no index
            failures.append(f"{shown}: {_reason(error)}")
            continue
        for link in links:
            path = urllib.parse.urlsplit(link).path
            if urllib.parse.unquote(path.rsplit("/", 1)[-1]) == release.filename:
                return urllib.parse.urljoin(_with_credentials(base, index), link.partition("#")[0])
        failures.append(f"{shown}: has no {release.filename}")
    raise SourceError(
        f"{release.filename} on the package index",
        got=listed(failures, 4),
        remedy="check the network and pip's index settings (`pip config list`), then try again",
    )


def _links(page: str, opener: urllib.request.OpenerDirector) -> tuple[str, list[str]]:
    """The page's own URL and the links on it."""
    if page.startswith("file:"):
        page += "index.html"
    with opener.open(_request(page, _ACCEPT), timeout=INDEX_SECONDS) as response:
        content = response.read().decode("utf-8", "replace")
        if "json" in (response.headers.get("Content-Type") or ""):
            return response.url, [str(file["url"]) for file in json.loads(content)["files"]]
        parser = _Anchors()
        parser.feed(content)
        return response.url, parser.links


class _Anchors(html.parser.HTMLParser):
    """The targets of the links on a page (the parser of the standard library is made to be derived from)."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]


def _stream(
    url: str,
    opener: urllib.request.OpenerDirector,
    write: Callable[[bytes], object],
    release: Release,
    progress: Progress,
) -> str:
    """Write what is at a URL, and give its sha256."""
    digest = hashlib.sha256()
    done = 0
    label = f"downloading {release.filename}"
    try:
        for chunk in _chunks(url, opener):
            write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if done > release.size:
                break  # another file: the digest will say so
            progress(label, done, release.size)
    except (OSError, ValueError) as error:
        raise SourceError(
            f"all {release.size} bytes of {release.filename}",
            got=f"{done}, then {_reason(error)}",
            remedy="check the network and the disk, then try again",
        ) from None
    if done != release.size:
        got = f"{done} bytes" if done < release.size else f"more than {release.size} bytes"
        raise SourceError(f"{release.size} bytes of {release.filename}", got=got, remedy="try again")
    return digest.hexdigest()


def _chunks(url: str, opener: urllib.request.OpenerDirector) -> Iterator[bytes]:
    response = call_within(INDEX_SECONDS, lambda: opener.open(_request(url), timeout=READ_SECONDS))
    with response:
        while chunk := response.read(_CHUNK):
            yield chunk


def _without_credentials(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _with_credentials(url: str, index: str) -> str:
    """A page's URL with the index's user and password, where it is on the same host."""
    page, source = urllib.parse.urlsplit(url), urllib.parse.urlsplit(index)
    user, at, host = source.netloc.rpartition("@")
    return page._replace(netloc=f"{user}{at}{page.netloc}").geturl() if page.netloc == host else url


def _reason(error: BaseException) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"HTTP status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__
