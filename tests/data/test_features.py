import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers import ROOT, digests
from tests.tiny_media import MODALITIES, ROWS, SETTINGS, row, write_aligned
from trivium.data import tables
from trivium.data.features import write
from trivium.data.store import Store
from trivium.settings.errors import UserError


def make(folder, contents=None, workers=1, name="features", modalities=MODALITIES, **kwargs):
    write_aligned(folder, contents, **kwargs)
    return again(folder, workers, name, modalities)


def again(folder, workers=1, name="features", modalities=MODALITIES):
    (folder / name).mkdir()
    write(folder / "aligned", folder / "splits", folder / name, modalities, SETTINGS, 2, workers)
    return tables.read_json(folder / name / "features.json")


def column(path, name="x"):
    return np.array([x for batch in _batches(path) for x in batch.column(name).to_pylist()])


def _batches(path):
    reader = pa.ipc.open_file(path)
    return [reader.get_batch(i) for i in range(reader.num_record_batches)]


def test_tensors_are_the_media_row_by_row(tmp_path):
    make(tmp_path)
    images, sounds = column(tmp_path / "features/image.arrow"), column(tmp_path / "features/audio.arrow")
    assert images.shape == (ROWS, 192) and sounds.shape == (ROWS, 128)
    for i in range(ROWS):
        assert np.array_equal(images[i].reshape(3, 8, 8), row(i)["image"].transpose(2, 0, 1))
        sound = row(i)["audio"]
        assert np.array_equal(sounds[i], np.zeros(128) if sound is None else sound.astype(np.float16))


def test_what_is_known_of_the_rows(tmp_path):
    described = make(tmp_path)
    samples = pq.read_table(tmp_path / "features/samples.parquet")
    assert samples.column_names == ["sample", "y", "has_text", "has_image", "has_audio", "seed_0", "seed_1"]
    assert samples["has_audio"].to_pylist() == [i % 4 != 3 for i in range(ROWS)]
    assert described["classes"] == ["a", "b"] and described["modalities"] == ["text", "image", "audio"]
    assert described["meta"]["world"]["name"] == "unique"
    assert described["sizes"][0] == {"train": 12, "val": 6, "test": 6, "unlabelled": 0, "unused": 0,
                                    "domain": 0}
    assert described["specs"]["image"] == {"kind": "image", "shape": [3, 8, 8], "vocab": 0, "native": []}


def test_statistics_are_those_of_the_seed_s_train_rows(tmp_path):
    described = make(tmp_path)
    for seed, rows in enumerate([range(12), range(12, 24)]):
        images = np.stack([row(i)["image"] for i in rows]).astype(float)
        found = described["statistics"]["image"][seed]
        assert found["mean"] == pytest.approx(images.mean((0, 1, 2)).tolist())
        assert found["deviation"] == pytest.approx(images.std((0, 1, 2)).tolist())
        sounds = np.stack([row(i)["audio"].astype(np.float16) for i in rows if i % 4 != 3]).astype(float)
        found = described["statistics"]["audio"][seed]
        assert found["mean"] == pytest.approx([sounds.mean()]) and found["deviation"] == pytest.approx([sounds.std()])


def spoil(contents, rows):
    """Other content in `rows`, of every modality."""
    for i in rows:
        contents[i] = {"text": "zebra zebra zebra zebra", "image": np.zeros((8, 8, 3), np.uint8),
                       "audio": np.full(128, 0.9)}
    return contents


def learnt(folder, described, seed):
    names = [described["columns"]["text"][seed]]
    return [described["statistics"][m][seed] for m in ("image", "audio")], [
        (folder / f"features/text.{name}.json").read_text() for name in names]


def test_val_and_test_rows_teach_nothing(tmp_path):
    clean, spoilt, other = tmp_path / "clean", tmp_path / "spoilt", tmp_path / "other"
    kept = learnt(clean, make(clean), seed=0)
    contents = [row(i) for i in range(ROWS)]
    assert learnt(spoilt, make(spoilt, spoil(contents, range(12, ROWS))), seed=0) == kept
    trained = learnt(other, make(other, spoil([row(i) for i in range(ROWS)], [5])), seed=0)
    assert trained[0] != kept[0] and trained[1] != kept[1]  # a train row does


def test_unlabelled_rows_teach_unused_and_held_out_ones_do_not(tmp_path):
    kept = {}
    for name in ("train", "unlabelled", "unused", "domain"):
        write_aligned(tmp_path / name)
        drawn = pq.read_table(tmp_path / name / "splits/splits.parquet")
        column = ["train"] * 11 + [name] + ["val"] + ["test"] * 11
        tables.write(drawn.set_column(1, "seed_0", [column]), tmp_path / name / "splits/splits.parquet")
        kept[name] = again(tmp_path / name)["statistics"]["image"][0]
    assert kept["train"] == kept["unlabelled"] != kept["unused"] == kept["domain"]


def test_domains_are_kept_where_there_are_any(tmp_path):
    for name, domains in (("some", ["phone", None] * 12), ("none", [None] * 24)):
        write_aligned(tmp_path / name)
        aligned = tmp_path / name / "aligned/samples.parquet"
        tables.write(pq.read_table(aligned).append_column("domain", pa.array(domains, pa.string())), aligned)
        again(tmp_path / name)
        samples = pq.read_table(tmp_path / name / "features/samples.parquet")
        assert ("domain" in samples.column_names) == (name == "some")
        assert Store(tmp_path / name / "features").domains == domains


def test_one_tokenizer_per_seed_or_one_for_all(tmp_path):
    described = make(tmp_path / "own")
    assert described["columns"]["text"] == ["seed_0", "seed_1"] and described["columns"]["image"] == ["x", "x"]
    shared = make(tmp_path / "shared", same_splits=True)
    assert shared["columns"]["text"] == ["x", "x"]
    assert not list((tmp_path / "shared/features").glob("text.seed_*"))
    ids = column(tmp_path / "shared/features/text.arrow")
    assert (ids > 2).sum(1).tolist() == [2] * ROWS  # "k01 w40": two words, two tokens


def test_the_same_input_gives_the_same_bytes_with_any_number_of_workers(tmp_path):
    make(tmp_path, name="one")
    again(tmp_path, workers=3, name="three")
    one, three = digests(tmp_path, "one"), digests(tmp_path, "three")
    assert {name.removeprefix("one") for name in one} == {name.removeprefix("three") for name in three}
    assert list(one.values()) == list(three.values()) and len(one) == 7


def test_the_order_of_the_splits_does_not_matter(tmp_path):
    make(tmp_path, name="one")
    drawn = pq.read_table(tmp_path / "splits/splits.parquet")
    tables.write(drawn.take(list(range(ROWS))[::-1]), tmp_path / "splits/splits.parquet")
    again(tmp_path, name="two")
    assert list(digests(tmp_path, "one").values()) == list(digests(tmp_path, "two").values())


def test_a_modality_that_no_model_could_learn_is_told(tmp_path):
    silent = [row(i) | {"audio": None} for i in range(ROWS)]
    with pytest.raises(UserError, match=r"No audio is present in any train row of any seed\. Remove `audio` from data"):
        make(tmp_path / "none", silent)
    late = [row(i) | ({"audio": None} if i < 12 else {}) for i in range(ROWS)]
    with pytest.raises(UserError, match=r"No audio is present in any train row of seed 0\."):
        make(tmp_path / "late", late)
    early = [row(i) | ({"audio": None} if i >= 12 else {}) for i in range(ROWS)]
    with pytest.raises(UserError, match=r"No audio is present in any val row of any seed\."):
        make(tmp_path / "early", early, same_splits=True)


def test_a_constant_image_gets_the_deviation_one(tmp_path):
    white = [row(i) | {"image": np.full((8, 8, 3), 255, np.uint8)} for i in range(ROWS)]
    assert make(tmp_path, white)["statistics"]["image"][0] == {"mean": [255.0] * 3, "deviation": [1.0] * 3}


def test_a_file_that_went_bad_is_told_with_its_sample(tmp_path):
    write_aligned(tmp_path)
    (tmp_path / "media/4.png").write_text("oops")
    with pytest.raises(UserError, match=r"Sample `s004`: image `media/4.png`.*not an image.*`dvc repro -f ingest`"):
        again(tmp_path)


def test_samples_without_a_split_are_told(tmp_path):
    write_aligned(tmp_path)
    drawn = pq.read_table(tmp_path / "splits/splits.parquet")
    tables.write(drawn.slice(1), tmp_path / "splits/splits.parquet")
    with pytest.raises(UserError, match=r"do not have the same samples: run `dvc repro split`"):
        again(tmp_path)


MEASURE = """
import resource, sys
from trivium.data.features import write
from trivium.modalities import image
aligned, splits, out = sys.argv[1:]
write(aligned, splits, out, ("image",), {"image": image.Settings(size=32, channels=3)}, 2)
unit = 1 if sys.platform == "darwin" else 1024
print(max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) * unit)
"""


def peak_memory(folder, count):
    """Bytes that it takes to write `count` pictures (the same few again and again)."""
    write_aligned(folder)
    few = pq.read_table(folder / "aligned/samples.parquet")
    names = pa.array([f"s{i:07}" for i in range(count)])
    many = few.take(np.arange(count) % ROWS).set_column(0, "sample", names)
    tables.write(many, folder / "aligned/samples.parquet")
    drawn = np.random.default_rng(0).choice(["train", "val"], count)
    tables.write(pa.table({"sample": names, "seed_0": drawn, "seed_1": drawn}), folder / "splits/splits.parquet")
    (folder / "features").mkdir()
    arguments = [str(folder / name) for name in ("aligned", "splits", "features")]
    done = subprocess.run([sys.executable, "-c", MEASURE, *arguments], check=True, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    assert (folder / "features/image.arrow").stat().st_size > count * 3072
    return int(done.stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_data(tmp_path):
    few, many = peak_memory(tmp_path / "few", 10_000), peak_memory(tmp_path / "many", 100_000)
    assert many - few < 48 * 2**20  # of 264 MiB more that were written
