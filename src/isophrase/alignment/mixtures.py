"""Several materials, some of the same task: what one of them trains on is no test of another.

Knows materials and what is drawn of them. Does not know models, or how a task is divided.
"""

from __future__ import annotations

from collections.abc import Sequence

from isophrase.alignment.sampling import Draw, Material
from isophrase.alignment.wordings import check_made


def refuse_leaks(drawn: Sequence[Draw], materials: Sequence[Material]) -> None:
    """Refuse draws in which splices and registers make a test wording out of training wordings.

    Raises:
        ManyErrors: Which ones.
    """
    made: dict[int, dict[str, str]] = {place: {} for place in range(len(materials))}
    for item in drawn:
        if "+" in item.wording.id:
            made[item.material][item.wording.id] = item.wording.template
    for place, templates in made.items():
        material = materials[place]
        check_made(material.task.name, templates, material.wordings)
