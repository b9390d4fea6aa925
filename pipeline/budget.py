"""budget: the training FLOPs that every strategy may spend, per seed."""

from trivium.params import Params
from trivium.stage import run


def main(params: Params) -> None:
    from trivium.data.store import Store
    from trivium.training import budget
    from trivium.training.strategy import chosen_fusion

    entry = params.entries[params.budget.of]
    fusion = chosen_fusion(entry) or {"name": "concat"}
    found = budget.write(Store(entry.start), fusion, params.budget, params.seeds, budget.BUDGET)
    print(f"everybody's budget: {sum(found) / len(found):.3g} training FLOPs per seed, on average")


if __name__ == "__main__":
    run("budget", main)
