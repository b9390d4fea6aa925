"""split: train, validation and test per seed; groups stay whole, classes keep their shares."""

from trivium.params import Params
from trivium.stage import fresh, run


def main(params: Params) -> None:
    from trivium.data.splits import split

    with fresh("data/splits") as out:
        report = split("data/aligned", out, params.split, params.seeds)
    print(f"{report['method']}, {report['groups']['count']:,} groups; seed 0: "
          + ", ".join(f"{count:,} {name}" for name, count in report["seeds"][0]["counts"].items() if count))
    for warning in report["warnings"]:
        print(f"warning: {warning}")


if __name__ == "__main__":
    run("split", main)
