"""preprocess: samples become memory-mapped tensors; tokenizers and statistics are fitted on train alone."""

from pathlib import Path

from trivium.params import Params, check
from trivium.stage import fresh, run


def main(params: Params) -> None:
    from trivium.data.features import write
    from trivium.data.readings import columns, warnings

    check(params)  # before anything runs: `ingest` looks only when the data changes
    recipes = {name: params.read_by(name) for name in params.pretrain}
    with fresh("data/features") as out, fresh("data/reads") as reads:
        write("data/aligned", "data/splits", out, reads, recipes, params.encoders, params.seeds)
    for stream, about in columns(Path(".")).items():
        print(f"{stream}:", ", ".join(f"{one['column']} ({one['type']})" for one in about["columns"]))
    for words in warnings(Path(".")):
        print(f"warning: {words}")


if __name__ == "__main__":
    run("preprocess", main)
