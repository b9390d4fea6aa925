import re
import subprocess
import sys

import pytest
import torch

from tests.helpers import ROOT
from trivium import modalities
from trivium.encoders import describe
from trivium.settings.errors import UserError


def test_the_modalities_are_the_files():
    assert modalities.names() == ("audio", "image", "table", "text", "video")


def test_an_unknown_modality_is_told_with_the_known_ones():
    with pytest.raises(UserError, match=r"no modality `smell`.*audio, image, table, text"):
        modalities.get("smell")


def test_a_modality_s_own_processor_has_its_name_and_settings_with_defaults():
    assert modalities.processor("image") is modalities.get("image")
    wanted = {
        "text": {"length": 64, "vocab": 4096, "tokenizer": "trained"}, "image": {"size": 32, "channels": 3},
        "audio": {"sample_rate": 16_000, "seconds": 4.0, "features": "logmel", "bins": 40, "window_ms": 25.0,
                  "hop_ms": 12.5},
        "table": {"scaling": "quantile", "categories": 256, "types": {}},
        "video": {"size": 32, "channels": 3, "frames": 16, "frames_per_second": 4.0}}
    assert modalities.names() == tuple(sorted(wanted))
    for name, values in wanted.items():
        assert modalities.processor(name).Settings().model_dump().items() >= values.items()


@pytest.mark.parametrize(("processor", "words"), [
    ({"sizes": 32}, r"unknown key `encoder.mine.processor.sizes`; did you mean `size`"),
    ({"size": 4}, r"`encoder.mine.processor.size`.*got 4"),
    ({"channels": 2}, r"`encoder.mine.processor.channels`.*got 2"),
])
def test_wrong_settings_are_told(processor, words):
    with pytest.raises(UserError, match=words):
        describe("mine", {"modality": "image", "architecture": "cnn", "processor": processor})


def test_noise_goes_from_the_signal_to_none_of_it_at_constant_variance():
    x = torch.randn(200, 1, 10, 10, generator=torch.Generator().manual_seed(1))

    def noisy(severity):
        return modalities.add_noise(x, severity, torch.Generator().manual_seed(2))

    assert torch.equal(noisy(0.0), x)
    for severity in (0.25, 0.5, 1.0):
        kept = torch.corrcoef(torch.stack([x.flatten(), noisy(severity).flatten()]))[0, 1]
        assert kept.item() == pytest.approx((1 - severity) ** 0.5, abs=0.02)
        assert noisy(severity).std().item() == pytest.approx(1.0, abs=0.02)
    assert torch.equal(noisy(0.5), noisy(0.5))


USE = """
import sys
sys.path[:0] = [sys.argv[1] + "/src", sys.argv[1]]
import trivium.modalities
trivium.modalities.__path__.append(sys.argv[2])
from pathlib import Path
import numpy as np, pyarrow as pa
from ruamel.yaml import YAML
from trivium import params as settings
from trivium.data import features, store, tables
from trivium.machine.cache import Cache
yaml = YAML(typ="safe")
params = yaml.load(Path(sys.argv[1], "params.yaml"))
settings.check(settings.parse(params))  # a new file makes no old params.yaml invalid
added = yaml.load(Path(sys.argv[2], "added.yaml"))
for section, values in added.items():
    for key, value in values.items():
        params[section][key] = value
params["pretrain"] = {"scratch": params["pretrain"]["scratch"]}
params["train"] = {"end_to_end": params["train"]["end_to_end"]}
params["compare"]["reference"] = ""
chosen = settings.parse(params)
settings.check(chosen)
assert chosen.read_by("scratch") == {"title": "words", "pulse": "beats"}
out = Path(sys.argv[2])
curves = [np.linspace(60 + i, 90, 100) for i in range(4)]
for i, curve in enumerate(curves):
    np.save(out / f"{i}.npy", curve)
none = pa.nulls(4, pa.float64())
tables.write(pa.table({"sample": list("abcd"), "y": pa.array([0, 1, 0, 1], pa.int32()), "has_pulse": [True] * 4,
                       "pulse": [f"{i}.npy" for i in range(4)], "pulse_start": none, "pulse_end": none}),
             out / "samples.parquet")
tables.write_json({"root": str(out), "task": {"name": "classification", "classes": ["x", "y"]}}, out / "meta.json")
tables.write(pa.table({"sample": list("abcd"), "seed_0": ["train", "train", "val", "test"]}), out / "splits.parquet")
features.write(out, out, out / "data/features", out / "data/reads", {"scratch": {"pulse": "beats"}}, chosen.encoders, 1,
               1, Cache(out / "cache"))
batch = store.Store("scratch", out).batch(np.arange(4), 0)
train = np.pad(np.stack(curves[:2]), ((0, 0), (0, 156)))
expected = (np.pad(curves[3], (0, 156)) - train.mean()) / train.std()
assert np.abs(batch.inputs["pulse"][3, 0].numpy() - expected).max() < 0.01
assert "error" in trivium.modalities.get("pulse").probe("none.npy", out)
"""


def test_the_documented_way_to_add_one_works(tmp_path):
    words = (ROOT / "docs/adding-a-modality.md").read_text(encoding="utf-8")
    (code,), (added,) = (re.findall(rf"```{kind}\n(.*?)```", words, re.S) for kind in ("python", "yaml"))
    (tmp_path / "pulse.py").write_text(code)
    (tmp_path / "added.yaml").write_text(added)
    done = subprocess.run([sys.executable, "-c", USE, str(ROOT), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
