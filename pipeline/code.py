"""code: which files each recipe and each strategy runs, so that an edit makes only those run again that it touches."""

from pathlib import Path

from trivium.params import Params, check
from trivium.stage import fresh, run


def main(params: Params) -> None:
    from trivium.data.tables import write_json
    from trivium.training import code

    check(params)  # the first stage that a change of `train` runs
    read = {name: [params.encoders[one] for one in params.read_by(name).values()] for name in params.pretrain}

    def write(modules: list[str], file: Path) -> None:
        file.parent.mkdir(exist_ok=True)
        write_json(code.files(modules), file)

    with fresh("data/code") as out:
        for name in params.pretrain:
            objectives = params.recipe(name).objectives
            write(code.of_recipe(read[name], params.kind, objectives), out / f"pretrain/{name}.json")
        for name, entry in params.entries.items():
            for root, stage in ((code.STRATEGY, "train"), (code.EVALUATION, "evaluate")):
                write(code.of_strategy(read[entry.start], params.kind, entry, root), out / f"{stage}/{name}.json")
        paid = params.entries.get(params.budget.of)  # none, where FLOPs are given
        write(code.of_strategy(read[paid.start], params.kind, paid, code.BUDGET) if paid else [code.BUDGET],
              out / "budget.json")


if __name__ == "__main__":
    run("code", main)
