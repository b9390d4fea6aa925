"""fuse@<strategy>: a multimodal model from pretrained components."""

import sys

from trivium.config import Config
from trivium.stage import fresh, measure, run


def main(config: Config, strategy: str) -> None:
    from trivium.training.strategy import train

    with fresh(f"models/{strategy}") as out:
        cost = train(config, strategy, out)
    measure(f"fuse@{strategy}", cost)


if __name__ == "__main__":
    run(f"fuse@{sys.argv[1]}", lambda config: main(config, sys.argv[1]))
