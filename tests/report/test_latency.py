"""How fast exported models answer, as the page says it."""

from pathlib import Path

from tests.report.page import Page
from tests.report.project import build, save
from trivium.comparison.latency import PATH, Graph, Graphs, Small
from trivium.machine.measured import Latency, Measured, Timed
from trivium.report.html import write
from trivium.report.inputs import Inputs
from trivium.report.sections import cost, latency

P95 = {"ensemble": 8.0, "unimodal": 0.5, "end_to_end": 9.0}
REFUSED = "ONNX cannot say the operator `fold` of this model."
PLACE = "reports/measured/latency.json"


def timed(p95: float) -> Latency:
    times = [Timed(rows=rows, threads=1, calls=200, p50_ms=p95 * rows / 2, p95_ms=p95 * rows, p99_ms=None)
             for rows in (1, 8, 64)]
    both = Timed(rows=64, threads=2, calls=5, p50_ms=123.4)
    return Latency(start_seconds=0.5, peak_memory_bytes=285_000_000, times=[*times, both],
                   small=[one.model_copy(update={"p50_ms": one.p50_ms / 2}) for one in times] if p95 == 8.0 else [])


def project(root: Path) -> Path:
    build(root, samples=60, seeds=2, strategies={"ensemble": 3.5, "unimodal": 2.5, "end_to_end": 2.2, "reference": 1.0})
    small = Small(bytes=300_000, rows=21, loss=1.5, unit="points of accuracy", same=0.9)
    graphs = {name: Graph(seed=0, bytes=700_000, small=small if name == "ensemble" else None,
                          small_refused="It has no layer with weights." if name == "unimodal" else "") for name in P95}
    Graphs(strategies=graphs | {"reference": Graph(seed=0, refused=REFUSED)}).write(root / PATH)
    save(Measured(latency={name: timed(p95) for name, p95 in P95.items()}).model_dump(), root / PLACE)
    return root


def test_the_frontier_and_the_table(tmp_path: Path) -> None:
    root = project(tmp_path)
    found = latency.context(Inputs(root, 0))
    assert found is not None and found.picture is not None
    reached = {name: f"{100 * one.metrics['accuracy'].mean:.1f}\u00a0%"
               for name, one in Inputs(root, 0).comparison.strategies.items()}
    assert found.lead == (f"On the frontier of accuracy and speed: “Best single stream” ({reached['unimodal']}, one "
                          f"row in 0.5 ms) and “Ensemble of single streams” ({reached['ensemble']}, one row in 8 ms).")
    assert found.refused == [f"“reference” is not among them: {REFUSED}",
                             "“Best single stream” has no copy of 8 bits: It has no layer with weights."]
    rows = [[cell.content if isinstance(cell.content, str) else cell.content.title for cell in row]
            for row in found.table.rows]
    assert rows[0] == ["Ensemble of single streams", reached["ensemble"], "700\u00a0kB", "4", "32", "256", "123",
                       "0.5\u00a0s", "285\u00a0MB"]
    assert rows[1] == ["Ensemble of single streams, 8 bits", "−1.5 points of accuracy", "300\u00a0kB", "2", "16", "128",
                       "–", "–", "–"]
    assert len(rows) == 4 and found.table.rows[0][3].quiet == "(8)"
    page = Page(write(root).read_text(encoding="utf-8"))
    assert "latency" in page.sections and "How fast it answers" in page.words


def test_one_time_of_an_answer_is_shown_and_not_two(tmp_path: Path) -> None:
    root = project(tmp_path)

    def costs() -> list[str]:
        found = cost.context(Inputs(root, 0))
        assert found is not None
        return [str(figure.body) for figure in found.views[0].pictures if "time of one answer" in str(figure.body)]

    assert costs() == []
    (root / PLACE).unlink()
    assert len(costs()) == 1 and latency.context(Inputs(root, 0)) is None


def test_the_limit_is_drawn_where_it_divides(tmp_path: Path) -> None:
    root = project(tmp_path)
    for limit, drawn in ((5.0, True), (100.0, False)):
        (root / "params.yaml").write_text(f"compare: {{latency_ms: {limit}}}")
        found = latency.context(Inputs(root, 0))
        assert found is not None and found.picture is not None
        assert (f"limit {limit:g} ms" in str(found.picture.body)) is drawn
