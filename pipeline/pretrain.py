"""pretrain@<modality>: encoders from one modality alone, every recipe at every seed."""

import sys

from trivium.config import Config
from trivium.stage import fresh, measure, run


def main(config: Config, modality: str) -> None:
    from trivium.training.pretrain import pretrain

    with fresh(f"models/pretrain/{modality}") as out:
        cost = pretrain(config, modality, out)
    measure(f"pretrain@{modality}", cost)


if __name__ == "__main__":
    run(f"pretrain@{sys.argv[1]}", lambda config: main(config, sys.argv[1]))
