"""Which streams a model reads, from what training wrote of its choice; and what is then said to be measured."""

from tests import evaluated
from tests.comparison.test_across import analysed
from tests.evaluated import evaluation, training
from trivium.comparison.across import across
from trivium.comparison.information import summary
from trivium.comparison.outcomes import load
from trivium.comparison.reads import read, some, whole
from trivium.data.tables import read_json, write_json
from trivium.evaluation.metrics import Information, Nll

STREAMS = ["text", "image", "audio"]


def test_what_was_chosen_is_what_is_read():
    members = {way: {"nll": 1.0} for way in ("text", "image", "mean", "concatenation")}  # audio could not be tried
    chosen = [training(chosen="text", members=members), training(chosen="mean", members=members), training()]
    found = read(evaluation(*(evaluated.seed(training=one) for one in chosen), streams=STREAMS))
    assert found == [{"text"}, {"text", "image"}, {"text", "image", "audio"}]
    assert whole("text", found) and not whole("image", found) and not whole("text+image", found)
    assert some("text+audio", found) and not some("image+audio", found)


def test_several_streams_may_have_been_chosen():
    chosen = [training(chosen="text+audio", members={s: {"nll": 1.0} for s in STREAMS}),
              training(chosen="30 % fine-tuned", members={"0 % fine-tuned": {"nll": 1.0}})]
    found = read(evaluation(*(evaluated.seed(training=one) for one in chosen), streams=STREAMS))
    assert found == [{"text", "audio"}, {"text", "image", "audio"}]


def seed(text, image, both):
    return Information(subsets={"text": Nll(val=text, test=text), "image": Nll(val=image, test=image),
                                "text+image": Nll(val=both, test=both)},
                       labels=[150, 150], tables={m: [[75, 75, 0], [75, 75, 0]] for m in ("text", "image")})


def test_an_encoder_that_nobody_asked_found_nothing_out():
    """`pixels` belongs to a probe that answered from text alone."""
    known = {"probe": [seed(0.3, 0.693, 0.3)] * 2, "joint": [seed(0.4, 0.5, 0.2)] * 2}
    readers = {"probe": {"text": "words", "image": "pixels"}, "joint": {"text": "words", "image": "patches"}}
    found = summary(known, ["text", "image"], readers, {"probe": [{"text"}] * 2, "joint": [{"text", "image"}] * 2})
    assert {name: bits and round(bits, 2) for name, bits in found.encoders["image"].items()} == {
        "patches": 0.28, "pixels": None}
    assert found.sentence and "pixels" not in found.sentence
    assert "the encoder `pixels` found little" in summary(known, ["text", "image"], readers).sentence


def test_a_stream_that_nobody_reads_is_not_called_empty():
    found = summary({"probe": [seed(0.3, 0.693, 0.3)] * 2}, ["text", "image"], {"probe": {"text": "words"}},
                    {"probe": [{"text"}] * 2})
    assert list(found.bits) == ["text"] and found.sentence == "0.57 of 1.00 bits were found in text."
    none = summary({"probe": [seed(0.3, 0.5, 0.3)] * 2}, ["text", "image"], {}, {"probe": [{"text"}, {"image"}]})
    assert none.bits == {} and none.sentence == ""


def test_the_comparison_knows_what_was_read(tmp_path):
    from tests.comparison.outs import READ_BY, change, write_outs

    write_outs(tmp_path, {"end_to_end": 0.7, "reference": 0.8}, seeds=2, tests=100)
    folder = tmp_path / "reports/evaluate"
    for name in ("end_to_end", "reference"):
        found = read_json(folder / name / "metrics.json")
        write_json(found | {"seeds": [one | {"information": analysed()["information"]} for one in found["seeds"]]},
                   folder / name / "metrics.json")
    change(tmp_path, "reference", training={"chosen": "text"},
           recipe={"objectives": [], "published": [], "external": "", "encoders": READ_BY | {"image": "pixels"}})
    names = ["end_to_end", "reference"]
    assert across(load(folder, names), folder, None).information.encoders["image"]["pixels"] is None
