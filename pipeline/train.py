"""train@STRATEGY: a multimodal model from the components of a recipe, at every seed."""

import sys

from trivium.params import Params, check_entry
from trivium.stage import fresh, measure, run


def main(params: Params, entry: str) -> None:
    from trivium.training import budget
    from trivium.training.strategy import train

    check_entry(params, entry)
    with fresh(f"models/{entry}") as out:
        cost = train(params.entries[entry], params.loop, budget.read(), out, params.tune)
    measure(f"train@{entry}", cost)


if __name__ == "__main__":
    run(f"train@{sys.argv[1]}", lambda params: main(params, sys.argv[1]))
