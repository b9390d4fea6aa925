"""evaluate@<strategy>: the only stage that reads the test set."""

import sys

from trivium.config import Config
from trivium.stage import fresh, measure, run


def main(config: Config, strategy: str) -> None:
    from trivium.evaluation.evaluate import evaluate

    with fresh(f"reports/evaluate/{strategy}") as out:
        inference = evaluate(config, strategy, out)
    measure(f"evaluate@{strategy}", {"inference": inference})


if __name__ == "__main__":
    run(f"evaluate@{sys.argv[1]}", lambda config: main(config, sys.argv[1]))
