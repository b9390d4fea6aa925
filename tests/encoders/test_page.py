"""docs/encoders.md and the measurement behind it."""

import json

from benchmarks import encoders as measured
from benchmarks import parts
from trivium import encoders


def test_the_page_holds_what_was_measured() -> None:
    found = json.loads(measured.RESULTS.read_text(encoding="utf-8"))
    page = measured.PAGE.read_text(encoding="utf-8")
    assert measured.filled(page, found) == page, "run `PYTHONPATH=src .venv/bin/python -m benchmarks.encoders page`"
    assert set(found["encoders"]) <= set(encoders.names())
    assert measured.read(found) in page and measured.costs(found) in page


def test_what_was_measured_is_what_there_is() -> None:
    """Parameters and FLOPs of today's code: only the speed depends on the machine."""
    found = json.loads(measured.RESULTS.read_text(encoding="utf-8"))
    for name, one in found["encoders"].items():
        read = measured.readers(name)
        assert set(read) == set(one), name
        for what, described in read.items():
            cost = measured.cost(measured.build(described))
            assert cost == {key: one[what][key] for key in cost}, (name, what)


def test_every_setting_stands_on_the_page() -> None:
    found = json.loads(measured.RESULTS.read_text(encoding="utf-8"))
    page = measured.PAGE.read_text(encoding="utf-8")
    for name in found["encoders"]:
        for setting, default in measured.settings(name).items():
            assert f"| `{name}` | `{setting}`" in page and default in (1, 2, 64), (name, setting)


def test_a_short_form_of_the_measurement() -> None:
    assert measured.trained() == ["cnn", "convnext", "ft_transformer", "mlp", "recurrent", "resnet", "static",
                                  "textcnn", "transformer"]
    found = measured.measure(["static", "convnext"], rounds=1, seconds=0.01)
    assert set(found) == {"static", "convnext"} and set(found["convnext"]) == {"image", "spectrogram", "waveform"}
    assert found["static"]["text"] | {"samples_per_second": 0} == {
        "parameters": 256 * 64, "flops": 0, "samples_per_second": 0}
    assert found["static"]["text"]["samples_per_second"] > 0


def test_what_a_file_says_of_its_part() -> None:
    assert parts.idea_and_source("trivium.encoders.static") == (
        "A learned vector for each word, and the mean of them: no word sees another, and their order is not heard",
        "fastText without its pairs of words, Joulin et al. 2016, "
        "[arXiv 1607.01759](https://arxiv.org/abs/1607.01759)")


def test_the_fastest_comes_first() -> None:
    one = {"parameters": 1234, "flops": 5678.0}
    found = {"encoders": {"cnn": {"text": one | {"samples_per_second": 1949.0}},
                          "static": {"text": one | {"samples_per_second": 123456.0}}}}
    assert measured.costs(found).splitlines()[2:] == ["| text | `static` | 1,234 | 5,678 | 120,000 |",
                                                      "| text | `cnn` | 1,234 | 5,678 | 1,900 |"]
