"""align: one row per sample, a span per stream, a presence mask."""

from trivium.params import Params
from trivium.stage import fresh, run


def main(params: Params) -> None:
    from trivium.data.alignment import align

    with fresh("data/aligned") as out:
        counts = align("data/valid", out, params.streams, params.align)
    print(", ".join(f"{count:,} {'' if name == 'samples' else 'with '}{name}" for name, count in counts.items()))


if __name__ == "__main__":
    run("align", main)
