"""split: train, validation and test per seed; groups stay whole, classes keep their shares."""

from trivium.params import Params
from trivium.stage import fresh, run


def main(params: Params) -> None:
    from trivium.data import chronology, leaks, twins
    from trivium.data.meta import Meta
    from trivium.data.splits import split
    from trivium.modalities import is_written

    near, timed = params.split.near_duplicates, params.split.method == "time"
    known = chronology.read_by_models(params.data.manifest.time, params.data.streams) if timed else []
    found = twins.find("data/aligned", params.validate_.placeholder_share, near)
    with fresh("data/splits") as out:
        report = split("data/aligned", out, params.split, params.seeds,
                       [one.by_row() for one in found] if near else [], known)
        leaked = leaks.measure("data/aligned", out, found, near is not None, not timed)
        leaked.write(leaks.PATH)
    print(f"{report['method']}, {report['groups']['count']:,} groups; seed 0: "
          + ", ".join(f"{count:,} {name}" for name, count in report["seeds"][0]["counts"].items() if count))
    streams = Meta.read("data/aligned/meta.json").streams or {}  # by another column, nothing is split again
    media = [s for s, modality in streams.items() if not is_written(modality)]
    for warning in report["warnings"] + leaks.said(leaked, media):
        print(f"warning: {warning}")


if __name__ == "__main__":
    run("split", main)
