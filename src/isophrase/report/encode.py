"""The data that the page opens on demand: one compact, script-safe JSON block for each panel.

Knows panels and the block's layout, which `templates/data.js` reads. Rows are instructions, columns examples. A block
is `{"text": B64, "arrays": {name: {"bytes": n, "data": B64}}}`: `text` holds JSON (names, templates, examples), every
array holds unsigned integers, lowest bytes of all first; both are deflated (RFC 1951) before base64.

Arrays over cells, row by row: `answer`, `generated` (1 + index into `answers` and `generations`, 0: none), `value`
(metric × 200, 255: unscored), `merged` (1: prompt and answer share a token). `logprob` goes example by example, in each
option by option, in each instruction by instruction: 1 + −log P / step, 0: not measured. Where hidden states were
projected, `pointRow` and `pointColumn` say whose each point is, and `tsne` and `pca` hold x and y in turn, from 0 for
−1 to 1,023 for 1. In a large report `relative` is true, and a log-probability is that of the cell's likeliest option
less: all that shares among the options need.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isophrase.report.text import visible
from isophrase.report.view import Geometry, Panel
from isophrase.types import Example, Instruction

_BYTES = {1: 0xFF, 2: 0xFFFF, 4: 0xFFFFFFFF}
_LIMITS = (20_000, 8_000, 4_000, 2_000, 1_000, 500, 250)
_TEXT_BUDGET = 4_000_000
_STEPS = ((500_000, 0.001), (1_200_000, 0.01))
_COARSE = 0.2
_FARTHEST = 254
_GRID = 1023


def safe_json(value: Any) -> str:
    """JSON that cannot end a `<script>` block or open a comment in it: ASCII, without `<`, `>` and `&`."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def encode(panels: Iterable[Panel], rows: Mapping[int, Any] = MappingProxyType({})) -> tuple[str, ...]:
    """The block of every panel of a report.

    Precision follows from the size of the whole: log-probabilities are rounded to 0.001 up to half a million of them,
    to 0.01 up to 1.2 million, then to 0.2 below the cell's likeliest option (shares among options are then right to 2.5
    points); texts are cut, and say so, where they pass four million characters.

    Args:
        panels: The panels.
        rows: Index of a panel -> the rows of its table, where these are made by the script.
    """
    whole = tuple(panels)
    numbers = sum(len(panel.instructions) * sum(len(item.options) for item in panel.examples) for panel in whole)
    step = next((step for most, step in _STEPS if numbers <= most), _COARSE)
    relative = step == _COARSE
    lengths = np.array([len(text) for panel in whole for text in _texts(panel)], dtype=np.int64)
    fitting = (limit for limit in _LIMITS if np.minimum(lengths, limit).sum() <= _TEXT_BUDGET)
    limit = next(fitting, _LIMITS[-1])
    return tuple(
        safe_json(_block(panel, step, limit, relative=relative, ranking=rows.get(index)))
        for index, panel in enumerate(whole)
    )


def _texts(panel: Panel) -> Iterator[str]:
    for example in panel.examples:
        yield from (*example.fields.values(), *example.options, *example.references)
    yield from (instruction.template for instruction in panel.instructions)
    yield from {item.text for item in panel.measurements.values() if item.text is not None}


def _block(panel: Panel, step: float, limit: int, *, relative: bool, ranking: Any = None) -> dict[str, Any]:
    shape = (len(panel.instructions), len(panel.examples))
    answer, generated = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    merged = np.zeros(shape, np.int64)
    answers, generations, reasons = dict[str, int](), dict[str, int](), dict[str, int]()
    unscored: list[int] = []
    for row, instruction in enumerate(panel.instructions):
        for column, example in enumerate(panel.examples):
            cell = (instruction.id, example.id)
            measured, given = panel.measurements.get(cell), panel.chosen.get(cell)
            if given is not None:
                answer[row, column] = 1 + answers.setdefault(given, len(answers))
            if measured is not None:
                merged[row, column] = measured.merged
            if measured is not None and measured.text is not None:
                generated[row, column] = 1 + generations.setdefault(measured.text, len(generations))
            reason = "not measured yet" if measured is None else measured.unscored
            if reason is not None:
                unscored += [row, column, reasons.setdefault(reason, len(reasons))]
    value = np.where(np.isnan(panel.table.values), 255, np.rint(panel.table.values * 200))
    arrays = {
        "answer": answer,
        "generated": generated,
        "value": value.astype(np.int64),
        "merged": merged,
        "logprob": _logprobs(panel, step, relative=relative),
        **_points(panel.geometry),
    }
    text = {
        "metric": panel.score_name,
        "step": step,
        "relative": relative,
        "instructions": [_instruction(item, limit) for item in panel.instructions],
        "examples": [_example(item, limit) for item in panel.examples],
        "answers": [cut(item, limit) for item in answers],
        "generations": [cut(item, limit) for item in generations],
        "reasons": [cut(item, limit) for item in reasons],
        "unscored": unscored,
        "geometry": _distances(panel.geometry),
        "ranking": ranking,
    }
    return {"text": _pack(safe_json(text).encode()), "arrays": {name: _array(item) for name, item in arrays.items()}}


def _instruction(instruction: Instruction, limit: int) -> dict[str, str]:
    facts = {
        "id": instruction.id,
        "template": cut(instruction.template, limit),
        "role": instruction.role.value,
        "collection": instruction.collection,
        "language": instruction.language,
        "register": instruction.register,
        "author": instruction.author,
        "reference": instruction.reference or "",
        "asks for": instruction.output_form.value,
    }
    return {name: fact if name == "template" else cut(fact, limit) for name, fact in facts.items()}


def _example(example: Example, limit: int) -> dict[str, Any]:
    return {
        "id": cut(example.id, limit),
        "fields": [[cut(name, limit), cut(value, limit)] for name, value in example.fields.items()],
        "options": [cut(option, limit) for option in example.options],
        "gold": list(example.gold),
        "references": [cut(reference, limit) for reference in example.references],
    }


def _distances(geometry: Geometry | None) -> dict[str, Any] | None:
    if geometry is None:
        return None
    names = ("cosine", "l2", "centroid", "cka")
    columns = {name: [None if math.isnan(x) else round(float(x), 5) for x in getattr(geometry, name)] for name in names}
    return {"to": geometry.to, "explained": [round(share, 3) for share in geometry.explained], **columns}


def _points(geometry: Geometry | None) -> dict[str, NDArray[np.int64]]:
    if geometry is None:
        return {}
    found = {"pointRow": geometry.rows, "pointColumn": geometry.columns}
    for name in ("tsne", "pca"):
        found[name] = (
            np.rint((getattr(geometry, name).astype(np.float64) + 1) * _GRID / 2).clip(0, _GRID).astype(np.int64)
        )
    return found


def _logprobs(panel: Panel, step: float, *, relative: bool) -> NDArray[np.int64]:
    rows = len(panel.instructions)
    found: list[NDArray[np.int64]] = []
    for example in panel.examples:
        block = np.zeros((len(example.options), rows), dtype=np.int64)
        for row, instruction in enumerate(panel.instructions):
            measured = panel.measurements.get((instruction.id, example.id))
            if measured is not None and len(measured.logprobs) == len(example.options):
                best = max(measured.logprobs) if relative and max(measured.logprobs) > -math.inf else 0.0
                codes = [_code(value - best, step) for value in measured.logprobs]
                block[:, row] = np.minimum(codes, _FARTHEST) if relative else codes
        found.append(block.ravel())
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _code(logprob: float, step: float) -> int:
    if math.isnan(logprob):
        return 0
    return 1 + round(min(max(0.0, -logprob / step), _BYTES[2] - 1))


def cut(text: str, limit: int) -> str:
    """A text fit to be shown, of at most `limit` characters and a remark on how many more there are."""
    if len(text) <= limit:
        return visible(text)
    return f"{visible(text[:limit])}… ({len(text) - limit:,} more characters)"


def _array(values: NDArray[np.int64]) -> dict[str, Any]:
    flat = values.ravel()
    most = int(flat.max(initial=0))
    width = next(width for width, largest in _BYTES.items() if most <= largest)
    planes = [(flat >> (8 * place)).astype(np.uint8).tobytes() for place in range(width)]
    return {"bytes": width, "data": _pack(b"".join(planes))}


def _pack(data: bytes) -> str:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(compressor.compress(data) + compressor.flush()).decode()
