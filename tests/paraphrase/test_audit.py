"""The audit file: written, edited by a person, read back."""

import csv

import pytest

from isophrase.errors import ManyErrors, SourceError
from isophrase.paraphrase.audit import Override, final_verdict, read_audit, template_key, write_audit
from isophrase.paraphrase.gate import judge_pair
from isophrase.paraphrase.pair import Verdict
from tests.paraphrase.test_gate import pair

GOOD = judge_pair(pair("{{ input }}\nPositive or negative opinion?", name="good"))
BAD = judge_pair(pair('Positive, "or"\nnegative?', name="bad"))


def edit(path, **changes):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row.update(changes.get(row["id"], {}))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_verdicts_and_reasons_are_written_and_overrides_are_read_back(tmp_path):
    path = tmp_path / "audit.csv"
    write_audit(path, [("set", GOOD), ("set", BAD)], {})
    entries, overrides = read_audit(path)
    assert [(item.id, item.verdict, item.final) for item in entries] == [
        ("good", "pass", "pass"), ("bad", "fail", "fail"),
    ]  # fmt: skip
    assert overrides == {}
    assert "slots: leaves out input" in path.read_text()
    edit(path, bad={"override": "pass", "by": "me", "note": "fine by me"}, good={"override": " FAIL "})
    entries, overrides = read_audit(path)
    assert [item.final for item in entries] == ["fail", "pass"]
    assert overrides[template_key(BAD.pair.candidate.template)] == Override(Verdict.PASS, "me", "fine by me")
    assert final_verdict(BAD, overrides) is Verdict.PASS


def test_an_override_is_kept_for_the_same_text_only(tmp_path):
    path = tmp_path / "audit.csv"
    kept = {template_key(BAD.pair.candidate.template): Override(Verdict.PASS, "me", "why")}
    write_audit(path, [("set", BAD), ("set", judge_pair(pair("Positive or negative??", name="bad")))], kept)
    assert [item.override for item in read_audit(path)[0]] == [Override(Verdict.PASS, "me", "why"), None]


def test_an_audit_of_nothing_is_read_back(tmp_path):
    write_audit(tmp_path / "audit.csv", [], {})
    assert read_audit(tmp_path / "audit.csv") == ((), {})


def test_a_wrong_override_is_named_with_its_line(tmp_path):
    path = tmp_path / "audit.csv"
    write_audit(path, [("set", GOOD)], {})
    edit(path, good={"override": "maybe"})
    with pytest.raises(ManyErrors, match=r"audit.csv:2: override: expected pass or fail; got 'maybe'"):
        read_audit(path)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="audit file"):
        read_audit(tmp_path / "other.csv")
