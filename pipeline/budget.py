"""budget: the training FLOPs that every strategy may spend, per seed; and which code each recipe and strategy runs, so
that an edit makes only those run again that it touches.
"""

from pathlib import Path

from trivium.params import Params, check
from trivium.stage import fresh, run


def main(params: Params) -> None:
    from trivium.data.store import Store
    from trivium.training import budget, prompted
    from trivium.training.strategy import chosen_fusion

    check(params)  # the first stage that a change of `train` runs
    for one in params.entries.values():
        if one.plan.combine == "prompts":  # which names classes: the data know them
            for words in prompted.check(one, Store(one.start), params.seeds):
                print(words)
    with fresh("data/code") as out:
        write_code(params, out)
    entry = params.entries[params.budget.of]
    fusion = chosen_fusion(entry) or {"name": "concat"}
    store = Store(entry.start)
    found = budget.write(store, fusion, params.budget, params.seeds, budget.BUDGET)
    print(f"everybody's budget: {sum(found) / len(found):.3g} training FLOPs per seed, on average")
    epoch = found[0] / params.budget.epochs if params.budget.flops is None else budget.measure(store, fusion, 1.0, 0)
    if found[0] < epoch:
        print(f"note: one epoch of {entry.title} costs more than that ({epoch:.3g} FLOPs). A strategy that cannot pay "
              f"for an epoch is not begun; set {budget.enough(found[0], epoch)} in params.yaml to begin this one.")


def write_code(params: Params, out: Path) -> None:
    """pretrain/RECIPE.json, train/STRATEGY.json and evaluate/STRATEGY.json: file -> digest."""
    from trivium.data.tables import write_json
    from trivium.training import code

    read = {name: [params.encoders[one] for one in params.read_by(name).values()] for name in params.pretrain}
    found = {f"pretrain/{name}": code.of_recipe(read[name], params.kind, params.recipe(name).objectives)
             for name in params.pretrain}
    for name, entry in params.entries.items():
        found |= {f"{stage}/{name}": code.of_strategy(read[entry.start], params.kind, entry, root)
                  for stage, root in (("train", code.STRATEGY), ("evaluate", code.EVALUATION))}
    for name, modules in found.items():
        (out / name).parent.mkdir(exist_ok=True)
        write_json(code.files(modules), out / f"{name}.json")


if __name__ == "__main__":
    run("budget", main)
