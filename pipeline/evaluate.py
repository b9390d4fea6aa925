"""evaluate@STRATEGY: the only stage that reads the test set."""

import sys

from trivium.params import Params
from trivium.stage import fresh, measure, run


def main(params: Params, entry: str) -> None:
    from trivium.evaluation.evaluate import evaluate
    from trivium.machine.measured import Measured

    with fresh(f"reports/evaluate/{entry}") as out:
        inference = evaluate(entry, params.evaluate, params.loop.device, params.loop.workers, out)
    measure(f"evaluate@{entry}", Measured(inference=inference))


if __name__ == "__main__":
    run(f"evaluate@{sys.argv[1]}", lambda params: main(params, sys.argv[1]))
