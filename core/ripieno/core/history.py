"""How what a task takes was made: every step before it, its settings and where each of them comes from.

Conventions
-----------
All of it is known before anything runs, and the same in every run: no times, no paths, no digests of results.
"""

from typing import TYPE_CHECKING, Any

from .plan import Plan, Task

if TYPE_CHECKING:
    from .keys import Recipes


def history_of(task: Task, recipes: "Recipes") -> list[dict[str, Any]]:
    """What a plugin that says ``reads_history`` is told, see `ripieno.contracts.context.Made`."""
    above = _above(task, recipes.plan)
    return [_made(one, recipes) for one in recipes.plan.tasks if one in above]


def _above(task: Task, plan: Plan) -> set[Task]:
    found: set[Task] = set()
    left = [task]
    while left:
        for group in plan.sources(left.pop()).values():
            sources = group.values() if isinstance(group, dict) else group
            new = {source for source, _ in sources} - found
            found |= new
            left += new
    return found


def _made(task: Task, recipes: "Recipes") -> dict[str, Any]:
    node = recipes.plan.nodes[task.node]
    identity = recipes.registry.find(node.uses)
    made: dict[str, Any] = {
        "step": task.node,
        "item": task.item_name,
        "uses": node.uses,
        "distribution": identity.distribution,
        "version": identity.version,
    }
    if node.role == "input":
        path = recipes.plan.file_of(task)
        return {**made, "file": path.name, "sha256": recipes.file(path)}
    configured = recipes.configured(task)
    draws = recipes.plugin(node.uses, configured)["random"]
    return {
        **made,
        "settings": dict(configured.config),
        "given": _given(task, recipes.plan),
        "seed": recipes.seed_of(task) if draws else None,
    }


def _given(task: Task, plan: Plan) -> dict[str, str]:
    """Where the settings come from that are not the plugin's defaults; the last word stands."""
    node = plan.nodes[task.node]
    given = dict.fromkeys(node.settings, "pipeline" if node.role == "step" else "adapter")
    if node.role == "step":
        given |= {str(place[0]): "run" for place in plan.pipeline.steps[task.node].given}
    for item in plan.items_of(task):
        given |= dict.fromkeys(item.settings.get(task.node, ()), "track list")
    return given
