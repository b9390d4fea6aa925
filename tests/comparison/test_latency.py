"""Who answers within a limit, and what is said of the others."""

from pathlib import Path

from tests.comparison.outs import compared, write_outs
from tests.comparison.test_sentences import SURE, told
from tests.comparison.test_verdict import costs, pair
from trivium.comparison.latency import PATH, STAGE, UNKNOWN, Graph, Graphs, Within, within
from trivium.machine.measured import PLACE, Latency, Measured, Timed

ACCURACIES = {"end_to_end": 0.70, "unimodal": 0.80, "ensemble": 0.90}
REFUSED = "ONNX cannot say the operator `fold` of this model."


def measure(root: Path, milliseconds: dict[str, float | None], refused: str = "") -> None:
    """p95 of one row for each strategy; the median, and that of 8 rows, are others."""
    found = {name: Latency(start_seconds=0.5, peak_memory_bytes=1, times=[
        Timed(rows=1, threads=1, calls=40, p50_ms=0.01, p95_ms=p95), Timed(rows=8, threads=1, calls=40, p50_ms=900.0,
                                                                          p95_ms=999.0)])
             for name, p95 in milliseconds.items()}
    (root / PLACE).mkdir(parents=True, exist_ok=True)
    (root / PLACE / f"{STAGE}.json").write_text(Measured(latency=found).model_dump_json())
    graphs = {name: Graph(seed=0, bytes=9) for name in found}
    Graphs(strategies=graphs | ({refused: Graph(seed=0, refused=REFUSED)} if refused else {})).write(root / PATH)


def test_the_95th_percentile_of_one_row_counts(tmp_path: Path) -> None:
    measure(tmp_path, {"a": 5.0, "b": 5.01, "c": None}, refused="d")
    found = within(5.0, ["d", "c", "b", "a", "e"], tmp_path)
    assert found == Within(5.0, ["a"], {"b": 5.01}, {"d": REFUSED, "c": UNKNOWN, "e": UNKNOWN})


def test_without_a_measurement_nobody_is_within(tmp_path: Path) -> None:
    assert within(5.0, ["a"], tmp_path) == Within(5.0, [], {}, {"a": UNKNOWN})


def test_the_best_within_the_limit_is_recommended(tmp_path: Path) -> None:
    root = write_outs(tmp_path, ACCURACIES, hard=0.5)
    measure(root, {"end_to_end": 1.0, "unimodal": 2.0, "ensemble": 9.0})
    assert compared(root, ACCURACIES)["verdict"]["recommended"] == "ensemble"
    found = compared(root, ACCURACIES, latency_ms=5.0)
    verdict = found["verdict"]
    assert verdict["recommended"] == verdict["winner"] == "unimodal" and verdict["learned"]
    assert verdict["sentence"].startswith("Within 5 ms, take “Best single stream”: it beats “End to end” by ")
    assert verdict["reason"].startswith("Slower, and left out: “Ensemble” (9 ms). What counts is one row on one "
                                        "thread, in 95 of 100 calls. ")
    assert found["strategies"]["ensemble"]["rank"] == 1  # it stays in the table


def test_nothing_is_fast_enough(tmp_path: Path) -> None:
    root = write_outs(tmp_path, ACCURACIES, hard=0.5)
    measure(root, dict.fromkeys(ACCURACIES, 9.0))
    verdict = compared(root, ACCURACIES, latency_ms=0.5)["verdict"]
    assert verdict["sentence"] == "No strategy answers within 0.5 ms, so none is recommended."
    assert (verdict.get("recommended"), verdict["learned"], verdict["tied"]) == (None, True, [])


def test_what_cannot_be_exported_and_what_was_not_measured_is_told() -> None:
    limit = Within(2.0, ["a", "b"], {}, {"c": REFUSED, "r": UNKNOWN})
    said, why = told("ab", [pair("a", "b", True)], costs(a=9e9, b=1e9), limit=limit)
    assert said == ("Within 2 ms, take “End to end”: it beats “Ensemble” by 2.1 points of accuracy (95 % interval 0.4 "
                    "to 3.8).")
    assert why == (f"Left out, since it cannot be exported: “LP-FT”. {REFUSED} Left out, since no latency of it was "
                   "measured on this machine: “Reference”. `dvc repro --force --single-item latency compare` measures "
                   f"it. {SURE}.")
