"""A model or adapter of the Hugging Face hub as a local folder.

Knows how to ask the hub which files a repository has, which of them are needed, and what to say when it can't be had.
Everything after this works on the folder and touches no network. A hub that does not answer costs seconds; what was
fetched before is used then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isophrase.errors import ModelError
from isophrase.models.extras import first_line, local_library
from isophrase.models.folders import ADAPTER_CONFIG, ADAPTER_WEIGHTS, INDEX, SINGLE, UNSAFE_SUFFIXES, unsafe_weights
from isophrase.network import call_within

ASK_SECONDS = 8.0
"""How long the hub may take for the list of a repository's files, name look-up and retries included."""

_SMALL_SUFFIXES = (".json", ".txt", ".jinja", ".model")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository at one commit, on this disk.

    Attributes:
        path: Its folder.
        commit: The commit's hash.
        notes: What the user should know (an unreachable hub, for one).
    """

    path: Path
    commit: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Listing:
    commit: str
    files: tuple[str, ...]


def is_repo_id(source: str) -> bool:
    """Whether the text can be a hub id (`name` or `owner/name`), and not a path."""
    if source.startswith((".", "/", "~")) or source.count("/") > 1 or "\\" in source:
        return False
    hub = hub_client()
    try:
        hub.utils.validate_repo_id(source)
    except hub.errors.HFValidationError:
        return False
    return True


def hub_client() -> Any:
    """The hub's client."""
    hub = local_library("huggingface_hub")
    local_library("huggingface_hub.errors")
    local_library("huggingface_hub.utils")
    return hub


def fetch(repo_id: str, revision: str | None, *, adapter: bool, notify: Callable[[str], None]) -> Snapshot:
    """Bring a repository's needed files to this disk, or find them there.

    Args:
        repo_id: `owner/name`.
        revision: Branch, tag or commit; None: the default branch.
        adapter: Whether the files of a PEFT adapter are needed, rather than those of a model.
        notify: Told what is being fetched.

    Raises:
        ModelError: No such repository or revision, a gated one, weights in a refused format, or a hub that can't be
            reached while the files are not on this disk.
    """
    hub = hub_client()
    if hub.constants.HF_HUB_OFFLINE:
        why = "the hub is switched off (HF_HUB_OFFLINE)"
        return _from_disk(hub, repo_id, revision, adapter=adapter, why=why)
    try:
        listing = _ask(hub, repo_id, revision)
    except _Unreachable as error:
        why = f"the hub can't be reached ({error})"
        return _from_disk(hub, repo_id, revision, adapter=adapter, why=why)
    wanted = _adapter_files(repo_id, listing.files) if adapter else _model_files(repo_id, listing.files)
    # The first file is asked for by the branch's name, for the client then remembers where the branch was.
    folder = _download(hub, repo_id, wanted[0], revision, notify)
    if folder.name != listing.commit:
        raise ModelError(
            f"{repo_id} at commit {listing.commit[:12]}", got=f"{folder.name[:12]}: it was changed just now",
            remedy="try again, or name a commit as revision",
        )  # fmt: skip
    for name in wanted[1:]:
        _download(hub, repo_id, name, listing.commit, notify)
    return Snapshot(folder, listing.commit)


def _download(hub: Any, repo_id: str, name: str, revision: str | None, notify: Callable[[str], None]) -> Path:
    """Bring one file, and say in which folder it is."""
    notify(f"fetching {repo_id}: {name}")
    try:
        return Path(hub.hf_hub_download(repo_id, name, revision=revision)).parent
    except Exception as error:  # the client's transport library has its own tree of errors
        raise ModelError(
            f"{name} of {repo_id} from the hub", got=first_line(error), remedy="try again: what is complete is kept"
        ) from error  # fmt: skip


class _Unreachable(Exception):
    """The hub gave no usable answer."""


def _ask(hub: Any, repo_id: str, revision: str | None) -> _Listing:
    """The commit and file names of a repository."""
    errors = hub.errors
    api = hub.HfApi()
    try:
        info = call_within(ASK_SECONDS, lambda: api.model_info(repo_id, revision=revision, timeout=ASK_SECONDS / 2))
    except errors.GatedRepoError as error:
        raise ModelError(
            f"access to {repo_id}", got="the hub asks for its terms to be accepted",
            remedy="accept them on the model's page, then run: hf auth login",
        ) from error  # fmt: skip
    except errors.RevisionNotFoundError as error:
        raise ModelError(
            f"a revision of {repo_id}", got=f"{revision!r}, which the hub does not have",
            remedy="name an existing branch, tag or commit",
        ) from error  # fmt: skip
    except errors.RepositoryNotFoundError as error:
        raise ModelError(
            "a catalog name, a folder or a hub id", got=f"{repo_id!r}, which the hub does not have (or keeps private)",
            remedy="correct the spelling; `isophrase models` lists the catalog; for a private one run: hf auth login",
        ) from error  # fmt: skip
    except Exception as error:  # the client's transport library has its own tree of errors
        raise _Unreachable(first_line(error, limit=120)) from error
    return _Listing(str(info.sha), tuple(sorted(item.rfilename for item in info.siblings or ())))


def _model_files(repo_id: str, files: Iterable[str]) -> list[str]:
    """Configuration, tokenizer and one set of weights: safetensors, else the only GGUF file."""
    top = [name for name in files if "/" not in name]
    small = [name for name in top if name.endswith(_SMALL_SUFFIXES) and not name.endswith(".index.json")]
    if INDEX in top:
        shards = [name for name in top if name.startswith("model-") and name.endswith(".safetensors")]
        return [*small, INDEX, *shards]
    if SINGLE in top:
        return [*small, SINGLE]
    gguf = [name for name in top if name.endswith(".gguf")]
    if len(gguf) == 1:
        return [*small, *gguf]
    if gguf:
        raise ModelError(
            f"one set of weights in {repo_id}", got=f"{len(gguf)} GGUF files ({', '.join(gguf[:3])}, …)",
            remedy="download the one you want and give its path",
        )  # fmt: skip
    unsafe = [name for name in top if name.endswith(UNSAFE_SUFFIXES)]
    if unsafe:
        raise unsafe_weights(repo_id, unsafe)
    adapter = ADAPTER_CONFIG in top
    raise ModelError(
        f"model weights in {repo_id}", got="a PEFT adapter" if adapter else "none",
        remedy="give it as `adapter`, and its base as `source`" if adapter else "give another hub id",
    )  # fmt: skip


def _adapter_files(repo_id: str, files: Iterable[str]) -> list[str]:
    names = set(files)
    if ADAPTER_CONFIG not in names:
        raise ModelError(f"{ADAPTER_CONFIG} in {repo_id}", got="none", remedy="give the id of a PEFT adapter")
    if ADAPTER_WEIGHTS not in names:
        unsafe = sorted(name for name in names if name.endswith(UNSAFE_SUFFIXES))
        if unsafe:
            raise unsafe_weights(repo_id, unsafe)
        raise ModelError(f"{ADAPTER_WEIGHTS} in {repo_id}", got="none", remedy="give the id of a PEFT adapter")
    return [ADAPTER_CONFIG, ADAPTER_WEIGHTS]


def _from_disk(hub: Any, repo_id: str, revision: str | None, *, adapter: bool, why: str) -> Snapshot:
    """The repository as it was fetched before."""
    name = ADAPTER_CONFIG if adapter else "config.json"
    found = hub.try_to_load_from_cache(repo_id, name, revision=revision)
    try:  # a repository of one GGUF file has no config.json
        path = Path(found).parent if isinstance(found, str) else Path(
            hub.snapshot_download(repo_id, revision=revision, local_files_only=True)
        )  # fmt: skip
    except Exception as error:  # the client has several errors for what is not there
        raise ModelError(
            f"{repo_id} on this disk or from the hub", got=f"it is not on this disk, and {why}",
            remedy=_instead(repo_id),
        ) from error  # fmt: skip
    return Snapshot(path, path.name, (f"{why}: used the copy of {repo_id} fetched before",))


def _instead(repo_id: str) -> str:
    """What to do where the hub can't be reached: the catalog may have the same model from elsewhere."""
    from isophrase.models.catalog import CATALOG

    for entry in CATALOG.values():
        if repo_id.lower() == entry.hub_id.lower():
            return f"use the name {entry.name}, which comes from the package registry, or give a folder"
    return "give a folder or a name of the catalog (`isophrase models`), or try again with a connection"
