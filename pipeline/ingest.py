"""ingest: one table per stream and the labels, from a source; raw, and never changed again."""

from trivium.params import Params, check
from trivium.stage import fresh, run


def main(params: Params) -> None:
    from trivium.data import sources

    check(params)  # before anything runs
    with fresh("data/raw") as out:
        sources.write(params.data, out, params.kind)


if __name__ == "__main__":
    run("ingest", main)
