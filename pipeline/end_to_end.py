"""end_to_end@<strategy>: the same network from random weights."""

import sys

from trivium.config import Config
from trivium.stage import fresh, measure, run


def main(config: Config, strategy: str) -> None:
    from trivium.training.strategy import train

    with fresh(f"models/{strategy}") as out:
        cost = train(config, strategy, out)
    measure(f"end_to_end@{strategy}", cost)


if __name__ == "__main__":
    run(f"end_to_end@{sys.argv[1]}", lambda config: main(config, sys.argv[1]))
