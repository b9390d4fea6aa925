"""What is said of the recipes that strategies start from."""

from tests.comparison.outs import change, compared, write_outs
from tests.evaluated import evaluation, seed
from trivium.comparison.recipes import unseen
from trivium.data.tables import write_json


def reads(root, recipe, **cut):
    """`data/reads/RECIPE.json`; cut: stream -> encoder, unit, setting, share that is lost."""
    streams = {stream: {"entry": entry, "encoder": {}, "spec": {}, "features": "", "digest": "", "columns": [],
                        "cut": {"unit": unit, "setting": setting, "rows": 0.9, "lost": lost}, "statistics": []}
               for stream, (entry, unit, setting, lost) in cut.items()}
    write_json({"samples": "", "streams": streams}, root / f"data/reads/{recipe}.json")


def test_what_encoders_do_not_see_is_said_beside_the_verdict(tmp_path):
    write_outs(tmp_path, {"end_to_end": 0.7, "ensemble": 0.8}, seeds=2, samples=200, tests=80)
    reads(tmp_path, "scratch", text=("words", "tokens", "length", 0.571), audio=("bands", "seconds", "seconds", 0.09))
    reads(tmp_path, "supervised", text=("minilm", "tokens", "length", 0.12))
    reason = compared(tmp_path, ["end_to_end", "ensemble"])["verdict"]["reason"]
    assert reason.endswith(
        " Inputs are cut: `words` does not see 57 % of the tokens of text (`encoder.words.processor.length`) and "
        "`minilm` does not see 12 % of the tokens of text (`encoder.minilm.processor.length`).")
    change(tmp_path, "ensemble", training={"chosen": "image"})
    assert "minilm" not in compared(tmp_path, ["end_to_end", "ensemble"])["verdict"]["reason"]


def test_nothing_is_said_where_encoders_see_all_of_it(tmp_path):
    about = {"one": evaluation(seed())}
    assert unseen(about, tmp_path) == ""
    reads(tmp_path, "scratch", text=("words", "tokens", "length", 0.03))
    assert unseen(about, tmp_path) == ""
