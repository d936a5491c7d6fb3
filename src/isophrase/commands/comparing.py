"""`compare`: two measurements on the same cells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isophrase.commands.output import Json, console
from isophrase.types import Rule

_Model = Annotated[str | None, typer.Option(help="Which model of the run. Default: its only one.")]
_Rule = Annotated[Rule | None, typer.Option(help="How options are compared. Default: as the experiment says.")]


def compare(
    before: Annotated[Path, typer.Argument(help="A run folder: the model before, or one model.")],
    after: Annotated[Path, typer.Argument(help="A run folder: the model after, or another model.")],
    as_json: Json = False,
    first_model: _Model = None,
    second_model: _Model = None,
    first_rule: _Rule = None,
    second_rule: _Rule = None,
    second_repair: Annotated[
        str | None, typer.Option(help="Read the second run's stored scores with: batch, contextual or ensemble-N.")
    ] = None,
    one_sided: Annotated[
        bool, typer.Option("--one-sided", help="Test for the better only. Decide before you look.")
    ] = False,
    level: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Confidence level of the intervals, e.g. 0.9.")
    ] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Of resampling and swapping.")] = 0,
    page: Annotated[
        Path | None, typer.Option("--page", help="Also write a page that shows both runs and what changed.")
    ] = None,
    leave_out_trained: Annotated[
        bool, typer.Option("--leave-out-trained", help="Leave out wordings that the second model was trained on.")
    ] = False,
    task: Annotated[list[str] | None, typer.Option("--task", help="Only this task; may be repeated.")] = None,
) -> None:
    """Compare two runs on the cells that both measured: before and after, or one model and another.

    Example: isophrase compare runs/before runs/after
    """
    from isophrase.api.comparing import Side, compare_views, of_tasks, side_view
    from isophrase.report.comparison import comparison_json, print_comparison
    from isophrase.statistics.paired import Settings
    from isophrase.statistics.swapping import Alternative

    alternative = Alternative.BETTER if one_sided else Alternative.TWO_SIDED
    sides = Side(before, first_model, first_rule), Side(after, second_model, second_rule, second_repair)
    first, second = (of_tasks(side_view(*one), task or ()) for one in zip(sides, ("first", "second"), strict=True))
    settings = Settings(level=level, alternative=alternative, seed=seed)
    found = compare_views(first, second, settings=settings, leave_out_trained=leave_out_trained)
    if page is not None:
        from isophrase.api.viewing import write_comparison

        write_comparison(page, first, second, settings=settings, leave_out_trained=leave_out_trained)
        console(stderr=True).print(f"page: {page}", soft_wrap=True)
    if as_json:
        typer.echo(comparison_json(found))
    else:
        print_comparison(found, console())
