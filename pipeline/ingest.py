"""ingest: one table per modality and the labels, from a source; raw, and never changed again."""

from trivium.config import Config
from trivium.stage import fresh, run


def main(config: Config) -> None:
    from trivium.data import sources

    with fresh("data/raw") as out:
        sources.write(config.data, out)


if __name__ == "__main__":
    run("ingest", main)
