"""`isophrase check`, end to end with a tiny model: the folder, the exit code, going on, the gate's overrides."""

import csv
import json
import sys
import time
from pathlib import Path

import pytest

from isophrase.cli import main
from tests.tiny_models import tiny_model

pytest.importorskip("torch", reason="needs isophrase[local]")

TICKETS = Path(__file__).parents[2] / "src" / "isophrase" / "data" / "check" / "tickets.csv"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("m") / "tiny", chat=False)


@pytest.fixture
def check(capsys, monkeypatch, tmp_path, model):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, table=TICKETS):
        call = ["isophrase", "check", table, "--input", "text", "--label", "queue", "--model", model, "--limit", "8",
                "--dtype", "float32", *arguments]  # fmt: skip
        monkeypatch.setattr(sys, "argv", [str(item) for item in call])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return run


def test_a_check_writes_everything_and_its_exit_code_is_the_verdict(check, tmp_path):
    code, out, err = check("--instruction", "Route the ticket to a team.", "--fail-under", "worst=1", "--junit",
    "j.xml",
                           "--fragments", "1")  # fmt: skip
    assert code == 6, err
    assert "FAILED: tickets with tiny" in out
    folder = tmp_path / "runs" / "check-tickets"
    for name in ("wordings.yaml", "audit.csv", "verdict.json", "junit.xml", "report.html"):
        assert (folder / name).is_file(), name
    assert (tmp_path / "j.xml").read_bytes() == (folder / "junit.xml").read_bytes()
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["passed"] is False
    assert len(verdict["wordings"]) >= 24
    assert "worst ≥ 1: NOT met" in (folder / "report.html").read_text()
    grids = sorted(path.name for path in folder.glob("grid-*"))
    code, out, _ = check("--instruction", "Route the ticket to a team.", "--fail-over", "unscored=0", "--json",
    "--fragments",
                         "0")  # fmt: skip
    assert code == 0
    assert json.loads(out)["passed"] is True
    assert sorted(path.name for path in folder.glob("grid-*")) == grids, "the same wordings are not measured again"


def test_paraphrases_of_ones_own_and_overrides_of_the_gate(check, tmp_path):
    Path("mine.csv").write_text(
        "id,template\ngood,{{ input }} Which team gets this ticket? {{ options }}\nlost,Which team gets this ticket?\n"
    )
    arguments = ("--instruction", "Route the ticket to a team.", "--paraphrases", "mine.csv", "--fragments", "0")
    code, out, err = check(*arguments)
    assert code == 0, err
    assert "2 wordings" in out
    assert "left out by the gate: 1" in out
    with Path("runs/check-tickets/audit.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["verdict"]) for row in rows] == [("good", "pass"), ("lost", "fail")]
    rows[1]["override"] = "pass"
    with Path("edited.csv").open("w") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    code, out, _ = check(*arguments, "--audit", "edited.csv")
    assert code == 0
    assert "3 wordings" in out


def test_a_report_with_and_without_doubted_wordings(check, tmp_path, monkeypatch, capsys):
    Path("mine.csv").write_text(
        "id,template\none,{{ input }} Which team gets this ticket? {{ options }}\n"
        "two,Name the team that this ticket is routed to: {{ options }}. Ticket: {{ input }}\n"
    )
    code, _, err = check(
        "--instruction", "Route the ticket to a team.", "--paraphrases", "mine.csv", "--fragments", "0"
    )
    assert code == 0, err
    audit = Path("runs/check-tickets/audit.csv")
    text = audit.read_text()
    audit.write_text(text.replace("check,two,yours,en,,pass,,", "check,two,yours,en,,pass,,fail"))
    (run,) = Path("runs/check-tickets").glob("grid-*")
    monkeypatch.setattr(sys, "argv", ["isophrase", "report", str(run), "--audit", str(audit), "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    printed = capsys.readouterr()
    assert "without the 1 wordings" in printed.err
    whole, audited = _documents(printed.out)
    assert len(whole["tasks"][0]["instructions"]) == 3
    assert len(audited["tasks"][0]["instructions"]) == 2
    assert (run / "report-audited.html").is_file()
    monkeypatch.setattr(sys, "argv", ["isophrase", "lint", str(run), "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    findings = json.loads(capsys.readouterr().out)
    assert stopped.value.code == (6 if any(item["severity"] == "error" for item in findings) else 0)


def _documents(text):
    """The JSON documents that stand one after another."""
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        found, end = decoder.raw_decode(rest)
        rest = rest[end:].strip()
        yield found


def test_wordings_by_a_writer_and_a_judge(check, model, monkeypatch):
    from isophrase.api import paraphrase
    from tests.paraphrase.test_generate import Echo

    echo = Echo("{{ input }} Which of the teams {{ options }} is this ticket for?", "Nothing of use.")
    monkeypatch.setattr(paraphrase, "writer_of", lambda *_: echo)
    monkeypatch.setenv("ISOPHRASE_CACHE", str(Path("cache").absolute()))
    arguments = ("--instruction", "Route the ticket to a team.", "--writer", "echo", "-n", "2", "--fragments", "0")
    code, out, err = check(*arguments)
    assert code == 0, err
    assert "2 wordings" in out
    assert "left out by the gate: 1" in out
    assert len(echo.asked) == 2
    code, out, err = check(*arguments, "--judge", model)
    assert len(echo.asked) == 2, "replies are cached"
    assert code == 0 or "at least one paraphrase that passes the gate" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--instruction", ""], 2, "expected an instruction"),
        (["--instruction", "x", "--label", "team"], 2, "expected a column 'team'"),
        (["--instruction", "x", "--label", "text", "--options", "a,b"], 3, "at least one row to score"),
        (["--instruction", "x", "--fail-under", "wurst=1"], 2, "did you mean 'worst'"),
        (["--instruction", "x", "--language", "xx"], 2, "registers of ours"),
        (["--instruction", "x", "--paraphrases", "none.yaml"], 3, "expected an existing file"),
        (["--instruction", "Do it. {{ y }}"], 3, "unknown field"),
    ],
)
def test_a_bad_call_is_a_clear_error(check, arguments, code, words):
    found, _, err = check(*arguments)
    assert found == code, err
    assert words in err


@pytest.mark.slow
def test_the_bundled_table_with_the_embedded_model_ends_in_three_minutes(monkeypatch, tmp_path, capsys):
    """On two quiet cores; with the model in the cache."""
    monkeypatch.chdir(tmp_path)
    call = ["isophrase", "check", TICKETS, "--input", "text", "--label", "queue", "--instruction",
            "Route the ticket to a team.", "--fail-under", "worst=0.8", "--fail-over", "flip=0.1"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [str(item) for item in call])
    began = time.monotonic()
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code in (0, 6)
    assert time.monotonic() - began <= 180
    assert ("PASSED" in capsys.readouterr().out) == (stopped.value.code == 0)
    assert (tmp_path / "runs" / "check-tickets" / "report.html").is_file()
