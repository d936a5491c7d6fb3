"""Keep the libraries' chatter off the user's screen and keep what is worth reading.

Knows which warnings of transformers and PEFT are advice to programmers. Everything else that they log as a warning is
collected, so that the loaded model can carry it as a note.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("transformers", "peft", "accelerate", "huggingface_hub")
_ADVICE = re.compile(
    r"The tied weights mapping and config for this model"  # T5 v1.1 and its kind: left untied, as in the file
    r"|LOAD REPORT"  # what it says of missing and unused tensors, we say in a line
    r"|is deprecated"
    r"|unauthenticated requests"
    r"|Setting `pad_token_id`"
)


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Inside, none of these libraries shows a progress bar or a warning; yields the warnings worth reading."""
    from transformers.utils import logging as chatter

    notes: list[str] = []
    bars = chatter.is_progress_bar_enabled()
    chatter.disable_progress_bar()
    try:
        with _no_gguf_bar(), _collected_logs(notes), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield notes
        for warning in caught:
            if issubclass(warning.category, UserWarning) and not issubclass(warning.category, FutureWarning):
                _keep(notes, str(warning.message))
    finally:
        if bars:
            chatter.enable_progress_bar()


@contextmanager
def _no_gguf_bar() -> Iterator[None]:
    """The GGUF reader draws its bar without asking whether bars are wanted."""
    from transformers import modeling_gguf_pytorch_utils as reader

    bar = getattr(reader, "tqdm", None)
    if bar is None:
        yield
        return
    reader.tqdm = lambda items, **_: items
    try:
        yield
    finally:
        reader.tqdm = bar


@contextmanager
def _collected_logs(notes: list[str]) -> Iterator[None]:
    """Replace the loggers' handlers by one that collects warnings."""
    handler = _Collector(notes)
    before = []
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        before.append((logger, logger.handlers[:], logger.propagate))
        logger.handlers[:] = [handler]
        logger.propagate = False
    try:
        yield
    finally:
        for logger, handlers, propagate in before:
            logger.handlers[:] = handlers
            logger.propagate = propagate


class _Collector(logging.Handler):
    def __init__(self, notes: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._notes = notes

    def emit(self, record: logging.LogRecord) -> None:
        _keep(self._notes, record.getMessage())


def _keep(notes: list[str], message: str) -> None:
    line = " ".join(message.split())
    if line and not _ADVICE.search(line) and line not in notes:
        notes.append(line)
