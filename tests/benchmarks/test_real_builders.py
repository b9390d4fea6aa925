"""The builders of real data sets and the scikit-learn yardstick: what they compute, on hand-made values and offline."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from sklearn.preprocessing import StandardScaler

from benchmarks.real import baseline, common, drums, openclipart, plaid, tabler, tuxpaint


def test_manifest_has_the_columns_that_are_filled(tmp_path):
    rows = [{"id": "a", "label": "x", "text": "one, two", "audio": "", "group": "g"},
            {"id": "b", "label": "y", "text": "", "group": "h"}]
    assert common.write(rows, tmp_path / "new") == 2
    assert (tmp_path / "new/manifest.csv").read_bytes() == b'id,label,text,group\na,x,"one, two",g\nb,y,,h\n'


def test_manifest_refuses_ids_that_come_twice_and_unknown_columns(tmp_path):
    with pytest.raises(common.BuildError, match="'a'"):
        common.write([{"id": "a", "label": "x"}, {"id": "a", "label": "y"}], tmp_path)
    with pytest.raises(common.BuildError, match="colour"):
        common.write([{"id": "a", "colour": "x"}], tmp_path)
    assert not (tmp_path / "manifest.csv").exists()


def test_large_classes():
    def large(names, fewest):
        return common.large_classes(names.split(), lambda name: name[0], fewest)

    assert large("b1 a1 c1 a2 b2 a3", 2) == ["b1", "a1", "a2", "b2", "a3"]
    assert large("b1 a1 a2", 3) == []


def test_a_failing_client_is_told_with_package_and_advice(tmp_path):
    with pytest.raises(common.BuildError, match=r"`no-such-client` is needed for the package p .*\nWhat to do: pray\."):
        common._client(["no-such-client"], tmp_path, "the package p", "pray")
    failing = [sys.executable, "-c", "import sys; print('first', file=sys.stderr); sys.exit('E: no route')"]
    with pytest.raises(common.BuildError, match=r"the package p and said:\nfirst\nE: no route\nWhat to do: pray\."):
        common._client(failing, tmp_path, "the package p", "pray")
    assert common._client([sys.executable, "-c", "print(1)"], tmp_path, "", "") == "1\n"


def test_a_builder_that_fails_ends_without_a_stack_trace(tmp_path):
    code = ("import sys; sys.argv = ['x.py', 'source', 'out']; from benchmarks.real import common\n"
            "def build(source, out): raise common.BuildError('no route')\n"
            "common.start(build)")
    root = Path(common.__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(root)}, text=True,
                           capture_output=True)
    assert (ended.returncode, ended.stderr) == (1, "no route\n")


def test_half_a_package_is_never_taken_for_a_whole_one(tmp_path):
    def breaks(folder):
        (folder / "half").touch()
        raise common.BuildError("no route")

    with pytest.raises(common.BuildError):
        common._once(tmp_path / "package", breaks)
    assert not (tmp_path / "package").exists()
    assert common._once(tmp_path / "package", lambda folder: (folder / "whole").touch()) == tmp_path / "package"
    common._once(tmp_path / "package", breaks)  # it is there: nothing is fetched
    assert [path.name for path in (tmp_path / "package").iterdir()] == ["whole"]


@pytest.mark.parametrize(("before", "after"), [
    ('<svg width="8pt" height="4"><g/></svg>', '<svg width="10.0" height="4.0" viewBox="0 0 10.0 4.0"><g/></svg>'),
    ("<svg id='a' height='1in' width='2px'/>", "<svg width=\"2.0\" height=\"90.0\" viewBox=\"0 0 2.0 90.0\" id='a'/>"),
    ('<svg width="8pt" height="4" viewBox="0 0 1 1"/>', '<svg width="8pt" height="4" viewBox="0 0 1 1"/>'),
    ('<svg width="100%" height="4"/>', '<svg width="100%" height="4"/>'),
    ("no drawing", "no drawing"),
])
def test_a_page_becomes_the_view_box(before, after):
    assert common.with_view_box(before) == after


def test_save_square(tmp_path):
    page = Image.new("RGBA", (50, 40))
    assert not common.save_square(page, tmp_path / "empty.png") and not (tmp_path / "empty.png").exists()
    page.paste((255, 0, 0, 255), (10, 20, 30, 30))  # twice as wide as high
    assert common.save_square(page, tmp_path / "red.png", side=20)
    pixels = np.asarray(Image.open(tmp_path / "red.png"))
    assert pixels.shape == (20, 20, 3)
    assert (pixels[6:14] == (255, 0, 0)).all() and (pixels[:5] == 255).all() and (pixels[15:] == 255).all()


def test_draw(tmp_path, capsys):
    pytest.importorskip("resvg_py")
    body = {"fine": '<rect width="9" height="9" fill="blue"/>', "empty": "", "broken": "<rect"}
    for name, text in body.items():
        (tmp_path / f"{name}.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{text}</svg>')
    assert common.draw([(tmp_path / f"{name}.svg", tmp_path / f"{name}.png") for name in body]) == [True, False, False]
    assert (np.asarray(Image.open(tmp_path / "fine.png")) == (0, 0, 255)).all()
    assert capsys.readouterr().out == "2 of 3 drawings failed\n"


def test_openclipart_takes_large_classes_and_few_of_a_group(monkeypatch):
    monkeypatch.setattr(openclipart, "FEWEST", 3)
    monkeypatch.setattr(openclipart, "MOST", 5)
    monkeypatch.setattr(openclipart, "ALIKE", 2)
    alone = {Path(f"many/{k}.svg"): f"alone {k}" for k in range(9)}
    alike = {Path(f"alike/{k}.svg"): "one" for k in range(9)}  # two are left, which is no class
    few = {Path(f"few/{k}.svg"): f"few {k}" for k in range(2)}
    three = {Path(f"three/{k}.svg"): f"three {k // 2}" for k in range(3)}
    chosen = openclipart.choose(alone | alike | few | three)
    assert [path.parts[0] for path in chosen] == ["many"] * 5 + ["three"] * 3
    assert chosen == openclipart.choose(dict(reversed((alone | alike | few | three).items())))


def test_openclipart_facts():
    svg = (b'<svg xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title> </dc:title><dc:title>A boat</dc:title>'
           b"<dc:creator><a><dc:title> Ann </dc:title></a></dc:creator></svg>")
    assert openclipart.title_and_artist(svg) == ("A boat", "Ann")
    assert openclipart.title_and_artist(b"<svg/>") == ("", "")
    assert openclipart.without_label(["Two", "Signs", "symbol", "and", "android"], "signs_and_symbols") == "Two android"


def test_tabler_words_do_not_tell_the_label():
    assert tabler.words(["a", "map-pin", "Roadmaps", 7], "Map") == "a, 7"
    assert tabler.words(["device", "screen"], "Devices") == "screen"


def test_drums():
    told = {"Open HiHat": "hi-hat", "BD 1": "kick", "Rimshot": "snare", "Floor Tom": "tom", "Ride bell": "cymbal",
            "Cowbell": None, "Kick hat": "hi-hat", "tomato": "tom", "abd": None}
    assert {name: drums.kind_of(name) for name in told} == told
    kit = ('<k xmlns="http://x"><instrument><name>Snare</name><layer><filename>a.wav</filename></layer><layer><filename>'
           "b.wav</filename></layer></instrument><instrument><name>Kick</name><filename>b.wav</filename></instrument>"
           "<instrument><name>Cowbell</name><filename>c.wav</filename></instrument></k>")
    assert drums.hits(kit) == [("a.wav", "snare"), ("b.wav", "snare")]


def test_plaid_series():
    found = list(plaid.series("@classLabel true 0 1\n@data\n0.5,-1E-3,?:0\n2:10\n"))
    assert [label for _, label in found] == ["air conditioner", "washing machine"]
    assert [wave.tolist() for wave, _ in found] == [[0.5, -0.001], [2.0]]


def test_tuxpaint_group():
    assert tuxpaint.group(Path("animals/cats/Cat-2_small")) == "animals/cats/cat"
    assert tuxpaint.group(Path("animals/cats/cat_3")) == tuxpaint.group(Path("animals/cats/3cat")) == "animals/cats/cat"
    assert tuxpaint.group(Path("animals/dogs/cat")) == "animals/dogs/cat"


# The yardstick


def test_hog_of_edges():
    """A 32 × 32 image is one block of four cells of nine directions."""
    flat, edge = np.full((32, 32), 0.5), np.zeros((32, 32))
    edge[:, 16:] = 1
    assert baseline.hog(flat).tolist() == [0] * 36
    upright = baseline.hog(edge).reshape(2, 2, 9)
    assert upright[..., 0] == pytest.approx(0.5, abs=1e-4) and (upright[..., 1:] == 0).all()  # all in direction 0
    level = baseline.hog(edge.T).reshape(2, 2, 9)  # 90° lie between the directions of 80° and 100°
    assert level[..., 4:6] == pytest.approx(np.full((2, 2, 2), 8 ** -0.5), abs=1e-4)
    assert (np.delete(level, (4, 5), axis=2) == 0).all()
    assert baseline.hog(1 - edge) == pytest.approx(baseline.hog(edge))  # darker or lighter is the same direction
    assert baseline.hog(np.zeros((64, 64))).shape == (3 * 3 * 4 * 9,)


def test_hog_shares_between_the_two_nearest_directions():
    across, down = np.meshgrid(np.arange(32.0), np.arange(32.0))
    angle = np.deg2rad(42)  # direction 2.1: nine parts for 2, one for 3
    slope = baseline.hog(np.cos(angle) * across + np.sin(angle) * down).reshape(4, 9)
    small = 0.1 / (0.9 ** 2 + 0.1 ** 2) ** 0.5 / 2  # of four cells alike; the large one is cut to 0.2
    assert slope[:, 3] / slope[:, 2] == pytest.approx(np.full(4, small / 0.2), rel=1e-3)
    assert (np.delete(slope, (2, 3), axis=1) < 1e-9).all()


def test_image_features(tmp_path):
    image = Image.new("RGB", (40, 40), "red")
    image.paste((0, 0, 255), (0, 0, 40, 10))
    image.save(tmp_path / "a.png")
    found = baseline.image_features(tmp_path / "a.png")
    colours = found[256:320]
    assert colours[48] == pytest.approx(0.75 ** 0.5) and colours[3] == pytest.approx(0.5)
    assert colours.sum() == pytest.approx(0.75 ** 0.5 + 0.5)
    assert found[0] == pytest.approx(29 / 255) and found[255] == pytest.approx(76 / 255)  # luma of blue and of red
    assert len(found) == 256 + 64 + 324


def test_mfcc():
    tone, high = (np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000) for hertz in (1000, 6000))
    found = baseline.mfcc(tone)
    assert found.shape == (98, 20)
    change = baseline.mfcc(10 * tone) - found  # ten times as loud: ln 100 more in each of 40 bands
    assert change[:, 0] == pytest.approx(np.log(100) * 40 ** 0.5, rel=1e-3)
    assert np.abs(change[:, 1:]).max() < 0.05
    assert np.abs(found - found[0]).max() < 0.1  # each frame hears the same
    assert baseline.mfcc(tone[:100]).shape == (1, 20)
    assert (found[:, 1] > baseline.mfcc(high)[:, 1]).all()  # more is in the lower bands


def test_audio_features_do_not_depend_on_the_rate(tmp_path):
    for rate in (16_000, 32_000):
        tone = 0.5 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)
        soundfile.write(tmp_path / f"{rate}.wav", tone, rate, "DOUBLE")
    one, other = (baseline.audio_features(tmp_path / f"{rate}.wav") for rate in (16_000, 32_000))
    assert one.shape == (40,)
    assert one[:6] == pytest.approx(other[:6], abs=1)  # half the pitch would differ by 12


def test_random_splits_keep_groups_and_shares():
    table = pd.DataFrame({"group": [f"g{k // 4}" for k in range(400)] + [""] * 100}, index=[str(k) for k in range(500)])
    splits = baseline.random_splits(table, 3)
    for split in splits:
        assert sorted(name for names in split.values() for name in names) == sorted(table.index)
        of = {group: {part for part, names in split.items() if set(names) & set(own)}
              for group, own in table[table["group"] != ""].groupby("group").groups.items()}
        assert all(len(parts) == 1 for parts in of.values())
        assert [len(split[part]) for part in ("train", "val", "test")] == pytest.approx([250, 75, 175], abs=4)
        lone = table.index[table["group"] == ""]
        assert all(set(names) & set(lone) for names in split.values())  # rows without a group are no group
    assert splits == baseline.random_splits(table, 3) and splits[0] != splits[1]


@pytest.fixture
def two_streams(tmp_path):
    """Rows of three classes with a telling text, a telling image, both, or an image alone that tells nothing."""
    colours = {"cat": (255, 0, 0), "dog": (0, 255, 0), "hen": (0, 0, 255), "white": (255, 255, 255)}
    for name, colour in colours.items():
        Image.new("RGB", (8, 8), colour).save(tmp_path / f"{name}.png")
    rows = ["id,label,text,image"]
    for k in range(180):
        label = ("cat", "dog", "hen")[k % 3]
        text, image = ((f"a {label}ling", ""), ("", f"{label}.png"), (f"the {label}ling", "white.png"))[k // 3 % 3]
        rows.append(f"r{k},{label},{text},{image}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    names = [f"r{k}" for k in range(180)]
    return tmp_path / "manifest.csv", {"train": names[:90], "val": names[90:126], "test": names[126:]}


def test_a_missing_stream_is_left_out_of_the_mean(two_streams):
    manifest, split = two_streams
    table, views = baseline.read(manifest)
    found = baseline.accuracies(table["label"], views, split)
    assert found["mean"] == found["chosen"] == 1  # whichever stream a row has
    assert found["concatenation"] > 0.9
    assert found["text"] == pytest.approx(2 / 3 + 1 / 9)  # without a text the commonest class: right for a third
    assert found["image"] == pytest.approx(1 / 3 + 2 / 9)
    assert baseline.score(manifest, [split, split]) == [1, 1]


def test_the_test_set_teaches_nothing(two_streams):
    manifest, split = two_streams
    table, views = baseline.read(manifest)
    label = table["label"].copy()
    label[split["test"]] = "cow"
    assert baseline.accuracies(label, views, split)["mean"] == 0  # no such class in train
    with pytest.raises(ValueError, match="manifest lacks"):
        baseline.accuracies(label, views, split | {"test": ["r0", "unknown"]})


def test_strength_is_chosen_on_validation():
    """Noise that train can learn by heart: validation must choose a strong penalty, hence nearly the prior."""
    random = np.random.default_rng(0)
    label = np.array(["a", "b", "b"] * 80, object)
    seen = []

    class Scaler(StandardScaler):
        def fit(self, values):
            seen.append(values)
            return super().fit(values)

    view = baseline.View("image", random.normal(size=(240, 60)), np.full(240, True), Scaler)
    rows = {"train": np.arange(90), "val": np.arange(90, 180), "test": np.arange(180, 240)}
    found = np.exp(baseline._answers([view], label, rows, np.array(["a", "b"], object)))
    assert (seen[0] == view.values[:90]).all() and len(seen) == 1  # train alone
    assert found.sum(1) == pytest.approx(1, abs=1e-4)
    assert found[:, 1] == pytest.approx(2 / 3, abs=0.1)


def test_classes_that_train_lacks_in_a_stream_are_rare_and_not_impossible(two_streams):
    manifest, split = two_streams
    table, views = baseline.read(manifest)
    view = next(view for view in views if view.stream == "text")
    without = view._replace(there=view.there & (table["label"] != "hen").to_numpy())
    rows = {part: table.index.get_indexer(split[part]) for part in split}
    label, classes = table["label"].to_numpy(object), np.array(["cat", "dog", "hen"], object)
    found = baseline._answers([without], label, rows, classes)
    there = without.there[np.concatenate([rows["val"], rows["test"]])]
    assert np.isnan(found[~there]).all()
    assert found[there][:, 2] == pytest.approx(np.log(1e-6)) and np.isfinite(found[there]).all()


def test_jpeg_and_stereo_are_read(tmp_path):
    stream = io.BytesIO()
    Image.new("L", (9, 5), 128).save(stream, "JPEG")
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())
    assert np.isfinite(baseline.image_features(tmp_path / "a.jpg")).all()
    soundfile.write(tmp_path / "a.flac", np.zeros((50, 2)), 44_100)
    assert np.isfinite(baseline.audio_features(tmp_path / "a.flac")).all()
