"""A few hundred odd inputs, the same in every run; `python -m benchmarks.fuzz` tries many more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fake_outs import fake_data, fake_models, fake_outs
from tests.fuzz import archives, checks, imported, made
from trivium.runtime import away
from trivium.runtime.inputs import Inputs
from trivium.serving.predictor import Predictor

quick = settings(max_examples=60, derandomize=True, deadline=None, database=None,
                 suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("fuzz")
    made.good(found)
    return found


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    root = fake_outs(tmp_path_factory.mktemp("served"), {"supervised_frozen": 0.9})
    fake_data(root)
    fake_models(root, "supervised_frozen")
    return Predictor.of_strategy(root, "supervised_frozen")


@pytest.fixture(scope="module")
def facts() -> Inputs:
    return checks.facts()


@pytest.fixture
def workers() -> Iterator[None]:
    """Started once for all tables."""
    with away.decoding():
        yield


@quick
@given(table=made.tables())
def test_tables_are_read_or_refused(folder: Path, table) -> None:
    checks.reads(folder, table)


@pytest.mark.slow
@settings(quick, max_examples=15)
@given(table=made.manifests())
def test_every_row_of_a_manifest_is_kept_or_in_quarantine(folder: Path, table) -> None:
    checks.validates(folder, table)


@pytest.mark.slow
def test_a_manifest_of_which_nothing_is_in_quarantine(folder: Path) -> None:
    rows = [f"r{k},{'ab'[k % 2]},one two,good.png,good.wav" for k in range(6)]
    content = "\n".join(["id,label,text,image,audio", *rows]) + "\n"
    assert checks.validates(folder, (".csv", content.encode(), 6)) == "validated"


@quick
@given(content=made.IMAGES)
def test_pictures_are_decoded_or_refused(folder: Path, content: bytes) -> None:
    checks.decodes(folder, "image", content, None, None)


@quick
@given(content=made.SOUNDS, start=made.SPANS, end=made.SPANS)
def test_sounds_are_decoded_or_refused(folder: Path, content: bytes, start: float | None, end: float | None) -> None:
    checks.decodes(folder, "audio", content, start, end)


@quick
@given(content=made.VIDEOS, start=made.SPANS, end=made.SPANS)
def test_videos_are_decoded_or_refused(folder: Path, content: bytes, start: float | None, end: float | None) -> None:
    checks.decodes(folder, "video", content, start, end)
    checks.decodes(folder, "audio", content, start, end)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@quick
@given(archived=archives.archives())
def test_members_of_archives_are_what_was_put_in_or_refused(folder: Path, archived) -> None:
    archives.check(folder, archived)


@quick
@given(tree=imported.trees(), alone=st.integers(0, 30))
def test_what_is_imported_can_be_read_or_is_refused(folder: Path, tree: dict[str, bytes], alone: int) -> None:
    imported.check(folder, tree, alone)


@quick
@given(table=made.tables("text"), form=st.sampled_from((".csv", ".jsonl", ".parquet")))
def test_every_row_has_an_answer_or_an_error(workers, answering, folder: Path, table, form: str) -> None:
    checks.predicts(answering, folder, table, form)


@quick
@given(cells=st.lists(made.PACKED, min_size=1, max_size=4))
def test_cells_of_a_table_become_numbers_or_a_reason(facts: Inputs, cells: list[str]) -> None:
    checks.packs(facts, cells)


@quick
@given(samples=made.SAMPLES)
def test_raw_values_have_an_answer_or_a_reason(answering, folder: Path, samples: list[dict]) -> None:
    checks.answers(answering, folder, samples)
