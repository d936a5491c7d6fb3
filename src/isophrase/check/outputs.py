"""What a check prints and writes: lines for people, JUnit for CI.

Knows results. Decides nothing.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from isophrase.check.verdict import CheckResult, JudgedWording
from isophrase.statistics.tables import Estimate

_SHOWN = 5
_ALWAYS = (("yours", "your wording"), ("mean", "mean of all wordings"), ("worst", "worst"), ("flip", "flip rate"))


def lines(result: CheckResult) -> Iterator[str]:
    """The verdict in plain words."""
    yield (
        f"{'PASSED' if result.passed else 'FAILED'}: {result.task} with {result.model}, "
        f"{len(result.wordings)} wordings × {result.examples} examples"
    )
    yield from (f"  {decision}" for decision in result.decisions)
    if not result.decisions:
        yield "  nothing was asked (--fail-under, --fail-over)"
    yield from (f"  {label}: {_percent(result.estimates[name])}" for name, label in _ALWAYS)
    best = result.wordings[0]
    yield f"best wording: {_wording(best)}"
    if result.better:
        yield f"  clearly better than yours: {', '.join(result.better[:_SHOWN])}"
    elif best.difference is not None:
        yield "  no wording is clearly better than yours"
    yield "most harmful wordings" + ("" if result.harmful else " (none is clearly worse than yours)") + ":"
    for item in reversed(result.wordings[-_SHOWN:]):
        if item.difference is not None and item.difference.value < 0:
            yield f"  {'!' if item.id in result.harmful else ' '} {_wording(item)}"
    if result.effects:
        yield "what leaving out some of their words changes:"
        for effect in result.effects[:_SHOWN]:
            yield f"    {_points(effect.change)} without {effect.fragment!r} ({effect.wording})"
    if result.left_out:
        yield f"left out by the gate: {len(result.left_out)} (see audit.csv)"
    yield from (f"note: {note}" for note in result.notes)


def junit(result: CheckResult) -> bytes:
    """The decisions as a JUnit test suite; one test for each criterion."""
    failures = sum(not decision.met for decision in result.decisions)
    suite = ET.Element(
        "testsuite", name="isophrase check", tests=str(len(result.decisions)), failures=str(failures), errors="0"
    )
    for decision in result.decisions:
        case = ET.SubElement(
            suite, "testcase", classname=f"isophrase.{result.task}.{result.model}", name=str(decision.criterion)
        )
        if decision.met:
            ET.SubElement(case, "system-out").text = _clean(str(decision))
        else:
            failure = ET.SubElement(case, "failure", message=_clean(str(decision)))
            failure.text = _clean("\n".join(lines(result)))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _clean(text: str) -> str:
    """Without the control signs that XML forbids."""
    return "".join(sign for sign in text if sign in "\n\t" or ord(sign) >= 32)


def _wording(item: JudgedWording) -> str:
    difference = "" if item.difference is None else f", {_points(item.difference)} against yours"
    register = f" ({item.register})" if item.register else ""
    return f"{item.id}{register}: {_percent(item.accuracy)}{difference}"


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} % [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def _points(estimate: Estimate) -> str:
    return f"{100 * estimate.value:+.1f} points [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"
