"""evaluate@<strategy>: the only stage that reads the test set."""

import sys

from trivium.config import Config
from trivium.stage import fresh, run


def main(config: Config, strategy: str) -> None:
    from trivium.evaluation.evaluate import evaluate

    with fresh(f"reports/evaluate/{strategy}") as out:
        evaluate(config, strategy, out)


if __name__ == "__main__":
    run(f"evaluate@{sys.argv[1]}", lambda config: main(config, sys.argv[1]))
