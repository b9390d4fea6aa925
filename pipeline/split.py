"""split: train, validation and test per seed; groups stay whole, classes keep their shares."""

from trivium.params import Params
from trivium.stage import fresh, run, warn


def main(params: Params) -> None:
    from trivium.data import chronology, leaks, twins
    from trivium.data.meta import Meta
    from trivium.data.splits import split
    from trivium.modalities import is_written

    streams = Meta.read("data/aligned/meta.json").streams or {}  # by another column, nothing is split again
    near, timed = params.split.near_duplicates, params.split.method == "time"
    known = chronology.read_by_models(params.data.manifest.time, params.data.streams) if timed else []
    found = twins.find("data/aligned", params.validate_.placeholder_share, near)
    with fresh("data/splits") as out:
        tied = {streams[one.names[0]]: one.by_row() for one in found} if near else None
        report = split("data/aligned", out, params.split, params.seeds, tied, known)
        leaked = leaks.measure("data/aligned", out, found, near is not None, not timed)
        leaked.write(leaks.PATH)
    print(f"{report['method']}, {report['groups']['count']:,} groups; seed 0: "
          + ", ".join(f"{count:,} {name}" for name, count in report["seeds"][0]["counts"].items() if count))
    if "joined" in report:
        print(report["joined"])
    media = [s for s, modality in streams.items() if not is_written(modality)]
    warn(report["warnings"] + leaks.said(leaked, media))


if __name__ == "__main__":
    run("split", main)
