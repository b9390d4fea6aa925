"""pretrain@RECIPE: components, stream by stream, at every seed."""

import sys

from trivium.params import Params, check_recipe
from trivium.stage import fresh, measure, run


def main(params: Params, recipe: str) -> None:
    from trivium.training import budget
    from trivium.training.pretrain import pretrain

    check_recipe(params, recipe)
    with fresh(f"models/pretrain/{recipe}") as out:
        cost = pretrain(params.recipe(recipe), params.loop, budget.read(), out)
    measure(f"pretrain@{recipe}", cost)


if __name__ == "__main__":
    run(f"pretrain@{sys.argv[1]}", lambda params: main(params, sys.argv[1]))
