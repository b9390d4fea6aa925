"""Short forms of the known answers: fewer epochs, seeds and strategies."""

from dataclasses import replace

import pytest

from benchmarks.evidence import worlds

pytestmark = pytest.mark.slow


def test_dominant_unimodal_components_beat_joint_training():
    size = replace(worlds.WORLDS["dominant"], epochs=40, seeds=3,
                   holds=lambda found: found.accuracy("ensemble") > found.accuracy("end_to_end"))
    found = worlds.run("dominant", size, only=["ensemble", "end_to_end"])
    assert found["holds"], found["accuracy"]
    assert found["accuracy"]["ensemble"]["mean"] < 0.941  # nobody is better than Bayes


@pytest.mark.parametrize("name", ["synergy", "events_synergy"])
def test_synergy_what_leans_on_unimodal_labels_is_at_chance(name):
    # No modality alone says anything here: a label that leaks into the inputs, or a test row into train, would show.
    size = replace(worlds.WORLDS[name], train=500, epochs=5, seeds=2,
                   holds=lambda found: found.near(("ensemble", "unimodal"), 0.5))
    found = worlds.run(name, size, only=["ensemble", "unimodal"])
    assert found["holds"], found["accuracy"]
