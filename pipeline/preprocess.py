"""preprocess: samples become memory-mapped tensors; tokenizers and statistics are fitted on train alone."""

from trivium.config import Config
from trivium.stage import fresh, run


def main(config: Config) -> None:
    from trivium import modalities
    from trivium.data.features import write

    settings = {m: modalities.settings(m, config.preprocess) for m in config.data.modalities}
    with fresh("data/features") as out:
        write("data/aligned", "data/splits", out, config.data.modalities, settings, config.seeds)


if __name__ == "__main__":
    run("preprocess", main)
