import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax

from tests.helpers import ROOT, digests, empty_weights
from tests.tiny_media import ENCODERS, ENTRIES, READ_BY, ROWS, row, write_aligned, write_features
from trivium.data import features, tables
from trivium.data.readings import Reads
from trivium.data.store import Store
from trivium.encoders import describe
from trivium.machine.cache import Cache
from trivium.serving.predictor import Predictor
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification

LONGER = describe("longer", ENTRIES["words"] | {"processor": {"length": 9, "vocab": 64}})
WIDER = describe("wider", ENTRIES["words"] | {"width": 32})


def make(folder, contents=None, workers=1, **kwargs):
    write_aligned(folder, contents, **kwargs)
    write_features(folder, workers=workers)
    return reads(folder)


def again(folder, workers=1, name="once_more"):
    """The features of the same data, made anew below `folder`/`name`."""
    for part in ("aligned", "splits", "media"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / part).symlink_to(folder / part)
    write_features(folder / name, workers=workers)
    return reads(folder / name)


def reads(folder, recipe="scratch"):
    return Reads.read(folder / f"data/reads/{recipe}.json")


def arrow(folder, stream, recipe="scratch"):
    return folder / "data/features" / reads(folder, recipe).streams[stream].features / "x.arrow"


def column(path, name="x"):
    return np.array([x for batch in _batches(path) for x in batch.column(name).to_pylist()])


def _batches(path):
    reader = pa.ipc.open_file(path)
    return [reader.get_batch(i) for i in range(reader.num_record_batches)]


def test_tensors_are_the_media_row_by_row(tmp_path):
    make(tmp_path)
    images, sounds = column(arrow(tmp_path, "image")), column(arrow(tmp_path, "audio"))
    assert images.shape == (ROWS, 192) and sounds.shape == (ROWS, 128)
    for i in range(ROWS):
        assert np.array_equal(images[i].reshape(3, 8, 8), row(i)["image"].transpose(2, 0, 1))
        sound = row(i)["audio"]
        assert np.array_equal(sounds[i], np.zeros(128) if sound is None else sound.astype(np.float16))


def test_what_is_known_of_the_rows(tmp_path):
    make(tmp_path)
    samples = pq.read_table(tmp_path / "data/features/samples.parquet")
    assert samples.column_names == ["sample", "y", "has_text", "has_image", "has_audio", "seed_0", "seed_1"]
    assert samples["has_audio"].to_pylist() == [i % 4 != 3 for i in range(ROWS)]
    described = tables.read_json(tmp_path / "data/features/features.json")
    assert described["task"]["classes"] == ["a", "b"] and described["meta"]["world"]["name"] == "unique"
    assert described["sizes"][0] == {"train": 12, "val": 6, "test": 6, "unlabelled": 0, "unused": 0,
                                     "domain": 0}


def test_a_recipe_has_a_file_that_says_what_its_encoders_read(tmp_path):
    streams = make(tmp_path).streams
    assert list(streams) == ["text", "image", "audio"]
    image = streams["image"]
    assert image.entry == "patches"
    assert image.encoder | {"processor": {}} == {"modality": "image", "architecture": "cnn", "weights": "",
                                                 "settings": {"width": 16, "depth": 1}, "processor": {}}
    assert image.encoder["processor"].items() >= {"name": "image", "size": 8, "channels": 3}.items()
    assert image.spec == {"kind": "image", "shape": [3, 8, 8], "vocab": 0, "native": [], "modality": "image"}
    for s, read in streams.items():
        assert read.features.split("/")[0] == s and (tmp_path / "data/features" / read.features / "x.arrow").exists()
    assert sorted(path.name for path in (tmp_path / "data/reads").iterdir()) == ["scratch.json"]


def test_statistics_are_those_of_the_seed_s_train_rows(tmp_path):
    streams = make(tmp_path).streams
    for seed, rows in enumerate([range(12), range(12, 24)]):
        images = np.stack([row(i)["image"] for i in rows]).astype(float)
        found = streams["image"].statistics[seed]
        assert found["mean"] == pytest.approx(images.mean((0, 1, 2)).tolist())
        assert found["deviation"] == pytest.approx(images.std((0, 1, 2)).tolist())
        sounds = np.stack([row(i)["audio"].astype(np.float16) for i in rows if i % 4 != 3]).astype(float)
        found = streams["audio"].statistics[seed]
        assert found["mean"] == pytest.approx([sounds.mean()]) and found["deviation"] == pytest.approx([sounds.std()])
    assert streams["text"].statistics == (None, None)


def test_two_processors_of_one_stream_live_side_by_side(tmp_path):
    write_aligned(tmp_path)
    encoders = ENCODERS | {"longer": LONGER, "wider": WIDER}
    recipes = {"short": READ_BY, "long": READ_BY | {"text": "longer"}, "wide": READ_BY | {"text": "wider"}}
    write_features(tmp_path, recipes, encoders)
    assert sorted(path.name for path in (tmp_path / "data/reads").iterdir()) == ["long.json", "short.json",
                                                                                "wide.json"]
    found = {name: reads(tmp_path, name).streams for name in recipes}
    assert found["short"]["text"].features != found["long"]["text"].features
    # The same processor is the same tensors, whatever encoder reads with it.
    assert found["short"]["text"].features == found["wide"]["text"].features
    assert found["wide"]["text"].encoder["settings"]["width"] == 32
    assert {streams["image"].features for streams in found.values()} == {found["short"]["image"].features}
    assert len([path for path in (tmp_path / "data/features/text").iterdir() if path.is_dir()]) == 2
    shapes = {name: Store(name, tmp_path).batch(np.arange(3), 0).inputs["text"].shape for name in recipes}
    assert shapes == {"short": (3, 6), "long": (3, 9), "wide": (3, 6)}
    digests_of = {name: reads(tmp_path, name).digest for name in recipes}
    assert len(set(digests_of.values())) == 3


def test_sounds_for_a_published_model_are_kept_and_served_as_its_extractor_makes_them(tmp_path):
    """From the folder of the model to the tensors; after that it is not needed."""
    empty_weights(tmp_path / "ears", "wav2vec2")
    tables.write_json({"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 8000},
                      tmp_path / "ears/preprocessor_config.json")
    ears = describe("ears", {"modality": "audio", "weights": str(tmp_path / "ears"), "processor": {"seconds": 0.02}})
    shutil.rmtree(tmp_path / "ears")
    write_aligned(tmp_path)
    write_features(tmp_path, {"scratch": READ_BY | {"audio": "ears"}}, ENCODERS | {"ears": ears})
    read = reads(tmp_path).streams["audio"]
    assert read.spec["kind"] == "waveform" and read.spec["shape"] == [1, 160]
    assert read.statistics == ({"mean": [0.0], "deviation": [1.0]},) * 2
    found = Store("scratch", tmp_path).batch(np.arange(ROWS), 0, ["audio"]).inputs["audio"][:, 0].numpy()
    for i in range(ROWS):
        sound = row(i)["audio"]
        if sound is not None:
            assert np.abs(found[i, :128] - (sound - sound.mean()) / sound.std()).max() < 2e-3
        assert not found[i, 0 if sound is None else 128:].any()
    prepared = {"streams": {"audio": {
        "spec": read.spec, "processor": read.encoder["processor"], "statistics": read.statistics[0]}}}
    answers = Predictor(Heard(), prepared).answers([{"audio": f"media/{i}.wav"} for i in (0, 1)], tmp_path)[0]
    assert answers == pytest.approx(softmax(found[:2, :2].astype(float), 1), abs=1e-6)


class Heard:
    """Answers with the first two numbers of what it hears."""

    streams = readers = ("audio",)
    task = Classification(["a", "b"])

    def __call__(self, inputs, present):
        return inputs["audio"][:, 0, :2]


def test_a_recipe_may_read_some_of_the_streams(tmp_path):
    write_aligned(tmp_path)
    write_features(tmp_path, {"some": {"image": "patches"}, "all": READ_BY})
    store = Store("some", tmp_path)
    assert store.streams == ("image",) and store.batch(np.arange(2), 0).present.tolist() == [[True], [True]]


def test_names_of_encoders_and_recipes_are_no_part_of_what_is_read(tmp_path):
    first = make(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    for part in ("aligned", "splits", "media"):
        (other / part).symlink_to(tmp_path / part)
    write_features(other, {"renamed": READ_BY | {"text": "terms"}}, ENCODERS | {"terms": ENCODERS["words"]})
    assert reads(other, "renamed").digest == first.digest


def test_a_new_recipe_leaves_the_files_of_the_others_as_they_were(tmp_path):
    write_aligned(tmp_path)
    write_features(tmp_path)
    before = digests(tmp_path, "data/reads", "data/features")
    for part in ("features", "reads"):
        shutil.rmtree(tmp_path / "data" / part)  # as DVC does
    write_features(tmp_path, {"scratch": READ_BY, "long": READ_BY | {"text": "longer"}}, ENCODERS | {"longer": LONGER})
    after = digests(tmp_path, "data/reads", "data/features")
    assert {path: after.get(path) for path in before} == before
    new = {path for path in after if path not in before}
    folder = reads(tmp_path, "long").streams["text"].features
    assert {path for path in new if not path.startswith(f"data/features/{folder}/")} == {"data/reads/long.json"}


def test_what_was_made_before_is_taken_from_the_cache(tmp_path, monkeypatch):
    make(tmp_path)
    made = list[str]()
    fill = features.fill
    monkeypatch.setattr(features, "fill", lambda run, rows, *rest: (made.append(rows.stream),
                                                                    fill(run, rows, *rest)))
    cases = {"nothing": {}, "text": {"text": "longer"}}
    for what, change in cases.items():
        made.clear()
        for part in ("features", "reads"):
            shutil.rmtree(tmp_path / "data" / part)
        write_features(tmp_path, {"scratch": READ_BY | change}, ENCODERS | {"longer": LONGER})
        assert made == ([] if what == "nothing" else [what])
    # Other values of one stream: that stream alone is made again.
    made.clear()
    contents = [row(i) | ({"text": "new words"} if i == 3 else {}) for i in range(ROWS)]
    write_aligned(tmp_path, contents)
    for part in ("features", "reads"):
        shutil.rmtree(tmp_path / "data" / part)
    write_features(tmp_path)
    assert made == ["text"]


def test_a_half_written_folder_of_the_cache_is_made_anew(tmp_path):
    make(tmp_path)
    whole = digests(tmp_path, "data")
    for mark in (tmp_path / ".cache/features").glob("*/whole"):
        mark.unlink()
        (mark.parent / "x.arrow").unlink(missing_ok=True)  # a name of its own in data/features
    for part in ("features", "reads"):
        shutil.rmtree(tmp_path / "data" / part)
    write_features(tmp_path)
    assert digests(tmp_path, "data") == whole


def test_the_cache_keeps_what_was_asked_for_last(tmp_path):
    cache = Cache(tmp_path / "kept", most=2)
    for k, name in enumerate("abcd"):
        with cache.making(name) as folder:
            (folder / "x").write_text(name)
        os.utime(tmp_path / "kept" / name, (k, k))
    fresh = Cache(tmp_path / "kept", most=2)
    assert fresh.take("a", tmp_path / "out") and (tmp_path / "out/x").read_text() == "a"
    assert not (tmp_path / "out/whole").exists() and not fresh.take("z", tmp_path / "none")
    fresh.keep()
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["a", "c", "d"]


def spoil(contents, rows):
    """Other content in `rows`, of every modality."""
    for i in rows:
        contents[i] = {"text": "zebra zebra zebra zebra", "image": np.zeros((8, 8, 3), np.uint8),
                       "audio": np.full(128, 0.9)}
    return contents


def learnt(folder, found, seed):
    text = found.streams["text"]
    return [found.streams[s].statistics[seed] for s in ("image", "audio")], (
        folder / "data/features" / text.features / f"{text.columns[seed]}.json").read_text()


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
        write_features(tmp_path / name)
        kept[name] = reads(tmp_path / name).streams["image"].statistics[0]
    assert kept["train"] == kept["unlabelled"] != kept["unused"] == kept["domain"]


def test_domains_are_kept_where_there_are_any(tmp_path):
    for name, domains in (("some", ["phone", None] * 12), ("none", [None] * 24)):
        write_aligned(tmp_path / name)
        aligned = tmp_path / name / "aligned/samples.parquet"
        tables.write(pq.read_table(aligned).append_column("domain", pa.array(domains, pa.string())), aligned)
        write_features(tmp_path / name)
        samples = pq.read_table(tmp_path / name / "data/features/samples.parquet")
        assert ("domain" in samples.column_names) == (name == "some")
        assert Store("scratch", tmp_path / name).domains == domains


def test_one_tokenizer_per_seed_or_one_for_all(tmp_path):
    own = make(tmp_path / "own").streams
    assert own["text"].columns == ("seed_0", "seed_1") and own["image"].columns == ("x", "x")
    shared = make(tmp_path / "shared", same_splits=True).streams
    assert shared["text"].columns == ("x", "x")
    assert not list((tmp_path / "shared/data/features/text").glob("*/seed_*"))
    ids = column(arrow(tmp_path / "shared", "text"))
    assert (ids > 2).sum(1).tolist() == [2] * ROWS  # "k01 w40": two words, two tokens


def test_the_same_input_gives_the_same_bytes_with_any_number_of_workers(tmp_path):
    make(tmp_path)
    again(tmp_path, workers=3, name="three")
    one, three = digests(tmp_path, "data"), digests(tmp_path, "three/data")
    assert {f"three/{name}": value for name, value in one.items()} == three and len(one) == 12


def test_the_order_of_the_splits_does_not_matter(tmp_path):
    make(tmp_path)
    drawn = pq.read_table(tmp_path / "splits/splits.parquet")
    tables.write(drawn.take(list(range(ROWS))[::-1]), tmp_path / "splits/splits.parquet")
    again(tmp_path, name="two")
    assert list(digests(tmp_path, "data").values()) == list(digests(tmp_path, "two/data").values())


def test_a_stream_that_no_model_could_learn_is_told(tmp_path):
    silent = [row(i) | {"audio": None} for i in range(ROWS)]
    with pytest.raises(UserError, match=r"No audio is present in any train row of any seed\. Take `audio` out of data"):
        make(tmp_path / "none", silent)
    late = [row(i) | ({"audio": None} if i < 12 else {}) for i in range(ROWS)]
    with pytest.raises(UserError, match=r"No audio is present in any train row of seed 0\."):
        make(tmp_path / "late", late)
    early = [row(i) | ({"audio": None} if i >= 12 else {}) for i in range(ROWS)]
    with pytest.raises(UserError, match=r"No audio is present in any val row of any seed\."):
        make(tmp_path / "early", early, same_splits=True)


def test_a_constant_image_gets_the_deviation_one(tmp_path):
    white = [row(i) | {"image": np.full((8, 8, 3), 255, np.uint8)} for i in range(ROWS)]
    assert make(tmp_path, white).streams["image"].statistics[0] == {"mean": [255.0] * 3, "deviation": [1.0] * 3}


def test_a_file_that_went_bad_is_told_with_its_sample(tmp_path):
    write_aligned(tmp_path)
    (tmp_path / "media/4.png").write_text("oops")
    with pytest.raises(UserError, match=r"Sample `s004`: image `media/4.png`.*not an image.*`dvc repro -f ingest`"):
        write_features(tmp_path)


def test_samples_without_a_split_are_told(tmp_path):
    write_aligned(tmp_path)
    drawn = pq.read_table(tmp_path / "splits/splits.parquet")
    tables.write(drawn.slice(1), tmp_path / "splits/splits.parquet")
    with pytest.raises(UserError, match=r"do not have the same samples: run `dvc repro split`"):
        write_features(tmp_path)


MEASURE = """
import resource, sys
from pathlib import Path
from trivium.data.features import write
from trivium.encoders import describe
from trivium.machine.cache import Cache
aligned, splits, out, reads, cache = sys.argv[1:]
patches = describe("patches", {"modality": "image", "architecture": "cnn", "processor": {"size": 32, "channels": 3}})
write(aligned, splits, out, reads, {"mine": {"image": "patches"}}, {"patches": patches}, 2, cache=Cache(Path(cache)))
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
    arguments = [str(folder / name) for name in ("aligned", "splits", "data/features", "data/reads", ".cache")]
    done = subprocess.run([sys.executable, "-c", MEASURE, *arguments], check=True, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    assert arrow(folder, "image", "mine").stat().st_size > count * 3072
    return int(done.stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_data(tmp_path):
    few, many = peak_memory(tmp_path / "few", 10_000), peak_memory(tmp_path / "many", 50_000)
    assert many - few < 48 * 2**20  # of 117 MiB more that were written


def test_all_code_that_tensors_depend_on_is_there():
    """A file that was renamed would be missed by nobody, and what it makes would be taken from the cache."""
    here = Path(features.__file__).parent
    assert [part for part in features.CODE if not (here / part).exists()] == []
