import gzip
import hashlib
import io
import json
import tarfile
import threading
from pathlib import Path

import pytest

from isophrase.errors import SourceError
from isophrase.sources.bigbench import bigbench_folder
from isophrase.sources.fetch import BIGBENCH, RECORD, fetch_bigbench, unpack_tasks
from isophrase.sources.registry import PipSettings, Release
from isophrase.sources.resolve import load_tasks

INSIDE = "bigbench-1.0.0/bigbench/benchmark_tasks"
TASK = json.dumps({"examples": [{"input": "x", "target": "y"}]}).encode()


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, link, len(TASK) if kind == tarfile.REGTYPE else 0
    return member


def _archive(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(TASK) if member.isreg() else None)
    return path


def _index(folder: Path, archive: Path) -> tuple[Release, PipSettings]:
    """A package index in a folder that has the archive as the release."""
    page = folder / "simple" / "bigbench"
    page.mkdir(parents=True)
    (page / "index.html").write_text(f'<a href="{archive.as_uri()}">{archive.name}</a>', encoding="utf-8")
    content = archive.read_bytes()
    release = Release("bigbench", archive.name, hashlib.sha256(content).hexdigest(), len(content))
    return release, PipSettings(((folder / "simple").as_uri(),))


@pytest.fixture
def source(tmp_path):
    members = [_member(f"{INSIDE}/{name}/task.json") for name in ("one", "parent/two", "parent")]
    others = [
        _member("bigbench-1.0.0/setup.py"),
        _member(f"{INSIDE}/one/README.md"),
        _member(f"{INSIDE}/one/data.json"),
    ]
    return _index(tmp_path, _archive(tmp_path / "bigbench-1.0.0.tar.gz", *members, *others))


def _nothing(*_: object) -> None:
    pass


def test_task_files_come_into_the_cache_and_load(tmp_path, source):
    release, settings = source
    steps = []
    folder = fetch_bigbench(tmp_path / "cache", lambda *step: steps.append(step), release, settings)
    assert folder == bigbench_folder(tmp_path / "cache")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == ["one/task.json.gz", "parent/task.json.gz", "parent/two/task.json.gz", RECORD]
    assert gzip.decompress((folder / "one/task.json.gz").read_bytes()) == TASK
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    assert (record["sha256"], record["task_files"]) == (release.sha256, 3)
    assert [path.name for path in folder.parent.iterdir() if path.name != ".lock"] == [folder.name]
    assert load_tasks("bigbench/one", cache=tmp_path / "cache")[0].task.examples[0].references == ("y",)
    labels = list(dict.fromkeys(step[0] for step in steps))
    assert labels == ["downloading bigbench-1.0.0.tar.gz", "unpacking bigbench-1.0.0.tar.gz"]
    assert all(0 <= done <= total for _, done, total in steps)
    assert steps[-1][1] == steps[-1][2]


def test_a_second_call_asks_nothing(tmp_path, source):
    folder = fetch_bigbench(tmp_path / "cache", _nothing, *source)
    unreachable = PipSettings(("http://127.0.0.1:9/simple",))
    steps = []
    assert fetch_bigbench(tmp_path / "cache", lambda *step: steps.append(step), BIGBENCH, unreachable) == folder
    assert steps == []


def test_two_processes_may_fetch_at_once(tmp_path, source):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(fetch_bigbench(tmp_path / "cache", _nothing, *source)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [bigbench_folder(tmp_path / "cache")] * 4


@pytest.mark.parametrize("stage", ["downloading", "unpacking"])
def test_an_interrupted_call_leaves_nothing_that_looks_complete(tmp_path, source, stage):
    def interrupt(label: str, done: int, total: int) -> None:
        if label.startswith(stage):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_bigbench(tmp_path / "cache", interrupt, *source)
    assert [path.name for path in (tmp_path / "cache" / "bigbench").iterdir()] in ([], [".lock"])
    folder = fetch_bigbench(tmp_path / "cache", _nothing, *source)
    assert (folder / RECORD).is_file()


def test_what_a_killed_process_left_is_cleared(tmp_path, source):
    target = bigbench_folder(tmp_path / "cache")
    (target / "one").mkdir(parents=True)
    (target / "one" / "task.json").write_text("{", encoding="utf-8")
    stale = target.parent / ".unpacking-x" / "tasks"
    stale.mkdir(parents=True)
    fetch_bigbench(tmp_path / "cache", _nothing, *source)
    assert not stale.exists()
    assert not (target / "one" / "task.json").exists()


def test_a_changed_archive_is_refused_before_it_is_opened(tmp_path, source):
    release, settings = source
    wrong = Release(release.project, release.filename, "0" * 64, release.size)
    with pytest.raises(SourceError, match=r"expected bigbench-1\.0\.0\.tar\.gz with sha256 0000"):
        fetch_bigbench(tmp_path / "cache", _nothing, wrong, settings)
    assert not bigbench_folder(tmp_path / "cache").exists()


def test_an_archive_without_tasks_is_refused(tmp_path):
    source = _index(tmp_path, _archive(tmp_path / "bigbench-1.0.0.tar.gz", _member("bigbench-1.0.0/x")))
    with pytest.raises(SourceError, match="task files in bigbench"):
        fetch_bigbench(tmp_path / "cache", _nothing, *source)
    assert not bigbench_folder(tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_is_told(tmp_path, source):
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    with pytest.raises(SourceError, match="set ISOPHRASE_CACHE to another folder"):
        fetch_bigbench(tmp_path / "cache", _nothing, *source)


@pytest.mark.parametrize(
    "member",
    [
        _member(f"{INSIDE}/../../../../escaped/task.json"),
        _member(f"/{INSIDE}/absolute/task.json"),
        _member(f"{INSIDE}/link/task.json", tarfile.SYMTYPE, "/etc/passwd"),
        _member(f"{INSIDE}/hard/task.json", tarfile.LNKTYPE, f"{INSIDE}/one/task.json"),
        _member(f"{INSIDE}/device/task.json", tarfile.CHRTYPE),
        _member(f"{INSIDE}/pipe/task.json", tarfile.FIFOTYPE),
        _member(f"{INSIDE}/folder/task.json", tarfile.DIRTYPE),
        _member(f"{INSIDE}/back\\slash/task.json"),
        _member(f"{INSIDE}/task.json"),
        _member("elsewhere/one/task.json"),
    ],
    ids=lambda member: member.name.removeprefix(INSIDE),
)
def test_names_in_an_archive_are_not_trusted(tmp_path, member):
    archive = _archive(tmp_path / "a.tar.gz", _member(f"{INSIDE}/one/task.json"), member)
    folder = tmp_path / "deep" / "down" / "in" / "here"
    folder.mkdir(parents=True)
    assert unpack_tasks(archive, folder, _nothing) == 1
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.is_dir()]
    assert sorted(files) == ["a.tar.gz", "deep/down/in/here/one/task.json.gz"]


@pytest.mark.parametrize("content", [b"", b"not an archive", "half"])
def test_a_broken_archive_is_named(tmp_path, content):
    archive = _archive(tmp_path / "a.tar.gz", *[_member(f"{INSIDE}/{number}/task.json") for number in range(200)])
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2] if content == "half" else content)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(SourceError, match=r"expected a \.tar\.gz archive; got a\.tar\.gz: "):
        unpack_tasks(archive, folder, _nothing)
