"""The road of `paraphrase`: references -> plan -> writer -> gate -> a set and an audit file.

Holds no logic of its own beyond the order of the steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from isophrase.cache import cache_folder
from isophrase.engine.local import LocalModel
from isophrase.errors import ConfigError
from isophrase.models.huggingface import load
from isophrase.models.writing import Writer
from isophrase.models.writing_local import LocalWriter
from isophrase.models.writing_server import ServerWriter
from isophrase.paraphrase.audit import final_verdict, read_audit, write_audit
from isophrase.paraphrase.gate import Judge, Judgement, judge_all
from isophrase.paraphrase.generate import Prices, Usage, estimate, generate
from isophrase.paraphrase.judge import ModelJudge
from isophrase.paraphrase.pair import Pair, Verdict
from isophrase.paraphrase.plan import Wanted, WritingPlan, wanted
from isophrase.progress import Display, Silent
from isophrase.sources.resolve import load_instruction_set
from isophrase.sources.writing import write_instruction_set
from isophrase.types import Instruction, InstructionSet, ModelSpec, Role


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a plan.

    Attributes:
        judged: Every re-phrasing with its judgement.
        kept: The ids of those that go through.
        usage: What it took.
        notes: Requests that gave no wording.
    """

    judged: tuple[Judgement, ...]
    kept: tuple[str, ...]
    usage: Usage
    notes: tuple[str, ...]


def writer_of(model: str, base_url: str | None, shown: Display | None = None) -> Writer:
    """A writer: a model behind a server if there is an address, else a local one."""
    if base_url is not None:
        return ServerWriter(base_url, model)
    return LocalWriter(load(ModelSpec(model, model), notify=(shown or Silent()).note))


def judge_of(model: str, shown: Display | None = None) -> Judge:
    """A local model as a judge of re-phrasings."""
    return ModelJudge(LocalModel(load(ModelSpec(model, model), notify=(shown or Silent()).note)))


def references_of(name: str) -> tuple[InstructionSet, tuple[Instruction, ...]]:
    """A set with those of its members that are re-phrased: its references, or all if it names none.

    Raises:
        IsophraseError: It can't be read.
    """
    found = load_instruction_set(name)
    references = tuple(item for item in found.instructions if item.role is Role.REFERENCE)
    return found, references or tuple(item for item in found.instructions if not item.role.is_control)


def planned(name: str, plan: WritingPlan, prices: Prices | None = None) -> tuple[list[Wanted], Usage]:
    """A plan for a set's references, and what it would take: the dry run."""
    _, references = references_of(name)
    requests = list(wanted(references, plan))
    return requests, estimate(requests, prices or Prices())


def rephrase(
    name: str,
    writer: Writer,
    out: Path,
    *,
    plan: WritingPlan | None = None,
    prices: Prices | None = None,
    judge: Judge | None = None,
    audit: Path | None = None,
    shown: Display | None = None,
) -> Written:
    """Re-phrase a set's references, gate what comes out, and write a set and an audit file.

    Args:
        name: The set (name or file).
        writer: Who writes.
        out: The .yaml file of the new set: the references and every re-phrasing that goes through.
        plan: How many, in which languages, which label words must stay.
        prices: For the cost.
        judge: A model that weighs re-phrasings beside the gate's own signals.
        audit: The audit file, by default beside `out`; its overrides count and are kept.
        shown: Where progress is shown.

    Raises:
        IsophraseError: Something that the user can mend.
    """
    if out.suffix.lower() not in (".yaml", ".yml"):
        raise ConfigError("--out with a .yaml file", got=str(out), remedy="name the file of the new set")
    shown = shown or Silent()
    found, references = references_of(name)
    plan = plan or WritingPlan()
    requests = list(wanted(references, plan))
    members, usage, notes = generate(
        requests, writer, cache_folder(), prices, lambda done, total: shown.step("re-phrasings", done, total)
    )
    by_id = {item.id: item for item in references}
    judged = judge_all([Pair(by_id[str(item.reference)], item, plan.labels) for item in members], judge=judge)
    audit = audit or out.with_suffix(".audit.csv")
    overrides = read_audit(audit)[1] if audit.exists() else {}
    write_audit(audit, [(found.name, item) for item in judged], overrides)
    kept = [item.pair.candidate for item in judged if final_verdict(item, overrides) is Verdict.PASS]
    origin = f"Re-phrasings of {found.name} by {writer.name}, gated; see {audit.name}"
    write_instruction_set(out, InstructionSet(found.name, found.version, (*references, *kept), found.tasks, origin))
    return Written(tuple(judged), tuple(item.id for item in kept), usage, tuple(notes))
