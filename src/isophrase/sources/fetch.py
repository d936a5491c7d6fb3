"""BIG-bench's task files from the package index into the cache.

Knows which release, and how to unpack its task files safely. Does not know what a task file means.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from isophrase.errors import SourceError
from isophrase.sources.bigbench import RELEASE, bigbench_folder
from isophrase.sources.registry import PipSettings, Progress, Release, download_release

BIGBENCH = Release(
    project="bigbench",
    filename=f"bigbench-{RELEASE}.tar.gz",
    sha256="1bb398a5512c6d798cdebe0dfa0ac03f67f6033fa6b39c6ef71df978c7cbc5c2",
    size=358_249_635,
)
RECORD = "source.json"
"""Names what was unpacked; there only when all of it was."""

_INSIDE = PurePosixPath(f"bigbench-{RELEASE}/bigbench/benchmark_tasks")
_FREE_BYTES = 3 * BIGBENCH.size
# The archive has 1.7 GB of JSON; packed one by one the files take a quarter of that and load as fast.
_GZIP_LEVEL = 1


def fetch_bigbench(
    cache: Path, progress: Progress, release: Release = BIGBENCH, settings: PipSettings | None = None
) -> Path:
    """Get the task files of BIG-bench (358 MB to load) unless they are there.

    The archive is checked against its pinned digest before it is opened. Only regular files called task.json are
    unpacked, gzip-compressed, into a temporary folder that is renamed when it is whole: an interrupted call leaves
    nothing that looks complete. A second process waits for the first.

    Args:
        cache: The cache folder.
        progress: Told of every step with its bytes.
        release: The archive.
        settings: Where from; None: as pip is configured.

    Returns:
        The folder with one folder for each task.

    Raises:
        SourceError: The index can't be reached, the archive is not the pinned one, or the disk is full.
    """
    from filelock import FileLock

    target = bigbench_folder(cache)
    if (target / RECORD).is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.parent / ".lock"):
            if not (target / RECORD).is_file():
                _fetch(target, release, progress, settings)
    except OSError as error:
        raise SourceError(
            "a writable cache folder with room",
            got=f"{target.parent}: {error.strerror or error}",
            remedy="free some space, or set ISOPHRASE_CACHE to another folder",
        ) from None
    return target


def _fetch(target: Path, release: Release, progress: Progress, settings: PipSettings | None) -> None:
    for stale in target.parent.glob(".unpacking-*"):  # left by a process that was killed
        shutil.rmtree(stale, ignore_errors=True)
    free = shutil.disk_usage(target.parent).free
    if release is BIGBENCH and free < _FREE_BYTES:
        raise SourceError(
            f"{_FREE_BYTES / 1e9:.1f} GB of free disk",
            got=f"{free / 1e9:.1f} GB at {target.parent}",
            remedy="free some space, or set ISOPHRASE_CACHE to another folder",
        )
    workspace = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=target.parent))
    try:
        archive = download_release(release, workspace, progress, settings)
        tasks = workspace / "tasks"
        tasks.mkdir()
        count = unpack_tasks(archive, tasks, progress)
        if not count:
            raise SourceError(f"task files in {release.filename}", got="none", remedy="report this as a bug")
        record = {"project": release.project, "file": release.filename, "sha256": release.sha256, "task_files": count}
        (tasks / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)  # an older folder without its record
        tasks.replace(target)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def unpack_tasks(archive: Path, folder: Path, progress: Progress) -> int:
    """Unpack the task files of the archive, compressed, and nothing else.

    Names in the archive are matched, never trusted: what is absolute, climbs out, or is no regular file is passed over.

    Args:
        archive: A .tar.gz file.
        folder: Where to.
        progress: Told of the bytes of the archive that were read.

    Returns:
        How many files.

    Raises:
        SourceError: The archive is broken.
    """
    label = f"unpacking {archive.name}"
    size = archive.stat().st_size
    count = 0
    try:
        # tarfile's own gzip stream takes a truncated archive for a short one; the gzip module doesn't.
        with archive.open("rb") as raw, gzip.open(raw) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
            for content, parts in _task_members(tar):
                target = folder.joinpath(*parts[:-1], f"{parts[-1]}.gz")
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file, gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed:
                    shutil.copyfileobj(content, packed, 1 << 20)
                count += 1
                progress(label, raw.tell(), size)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise SourceError("a .tar.gz archive", got=f"{archive.name}: {error}", remedy="fetch it again") from None
    progress(label, size, size)
    return count


def _task_members(tar: tarfile.TarFile) -> Iterator[tuple[IO[bytes], tuple[str, ...]]]:
    for member in tar:
        path = PurePosixPath(member.name)
        inside = path.is_relative_to(_INSIDE) and ".." not in path.parts and "\\" not in member.name
        parts = path.relative_to(_INSIDE).parts if inside else ()
        if len(parts) > 1 and parts[-1] == "task.json" and member.isreg():
            yield tar.extractfile(member) or io.BytesIO(), parts
