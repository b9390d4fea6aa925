"""One file per training strategy: where the weights come from and what may move when.

A strategy is declarative and free of torch: `trivium.training` runs its phases through the one loop.
To add one, write `strategies/<name>.py` with a `Settings` and a `plan(settings)`, and name it in params.yaml.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from trivium import fusion
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.config import Config
    from trivium.strategies.base import Plan


def names() -> list[str]:
    """Names of the strategy files."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "base")


def settings(name: str, config: Config) -> Any:
    """The typed settings of strategy `name`. Raises: UserError."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names())}."
        raise UserError(f"params.yaml: there is no strategy `{name}`; {hint} To add one, write "
                        f"src/trivium/strategies/{name}.py (docs/adding-a-strategy.md).")
    model = importlib.import_module(f"{__name__}.{name}").Settings
    try:
        chosen = model.model_validate(config.strategy[name])
    except ValidationError as error:
        problem = error.errors()[0]
        raise UserError(f"params.yaml: `strategy.{name}.{'.'.join(map(str, problem['loc']))}`: {problem['msg']}; "
                        f"known keys: {', '.join(model.model_fields)}.") from None
    start = getattr(chosen, "start", None)
    if start is not None and start not in config.pretrain:
        raise UserError(f"params.yaml: `strategy.{name}.start`: there is no recipe `{start}` under `pretrain`; "
                        f"known: {', '.join(config.pretrain)}.")
    if hasattr(chosen, "fusion"):
        fusion.known(chosen.fusion)
    return chosen


def fits(name: str, config: Config) -> None:
    """Raises: UserError (wrong settings; the plan needs what the list in params.yaml or the recipe does not give)."""
    try:
        found = plan(name, config)
    except ValueError as error:
        raise UserError(f"src/trivium/strategies/{name}.py: {error}.") from None
    if found.start not in (None, *config.pretrain):
        raise UserError(f"src/trivium/strategies/{name}.py starts from `{found.start}`, and there is no such recipe "
                        "under `pretrain` in params.yaml.")
    if found.start is None and found.combine != "fusion":
        raise UserError(f"src/trivium/strategies/{name}.py combines classifiers and names no recipe to `start` from.")
    if found.start is not None and name in config.end_to_end:
        raise UserError(f"params.yaml: `{name}` starts from pretrained components (`{found.start}`): list it under "
                        "`fuse`, not under `end_to_end`, whose stages do not see when these change.")
    if found.start and found.combine != "fusion" and config.pretrain[found.start].objective != "supervised":
        raise UserError(f"params.yaml: `strategy.{name}.start`: `{found.start}` trains without labels, and {name} "
                        "needs classifiers: name a recipe with `objective: supervised`.")


def plan(name: str, config: Config) -> Plan:
    """What strategy `name` does, phase by phase. Raises: UserError."""
    chosen = settings(name, config)
    return importlib.import_module(f"{__name__}.{name}").plan(chosen)
