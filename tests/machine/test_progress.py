import math

import pytest

import trivium.machine.progress as progress
from trivium.machine.progress import Progress, track
from trivium.machine.workers import processes


class Clock:
    """Time that passes only when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("tqdm.std.time", clock)
    return clock


def test_items_pass_through_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track("abc", "spelling", total=3)) == ["a", "b", "c"]
    assert capsys.readouterr().out == ""


def test_without_a_terminal_a_line_every_few_seconds(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("decoding audio", total=100, unit="clip") as bar:
        for _ in range(10):
            clock.now += 1.0
            bar.add(4)
    lines = capsys.readouterr().err.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "decoding audio: 20% 4.00 clip/s 00:20 left",
        "decoding audio: 40% 4.00 clip/s 00:15 left",
    ]


def test_short_work_is_silent(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in track(range(1000), "counting", total=1000):
        pass
    assert capsys.readouterr().err == ""


def test_an_estimate_that_was_too_low_never_shows_more_than_all(
    clock: Clock, capsys: pytest.CaptureFixture[str],
) -> None:
    bar = Progress("training", total=100, unit="samples")
    clock.now += 5.0
    bar.add(103)
    assert " ".join(capsys.readouterr().err.split()) == "training: 100% 20.6 samples/s 00:00 left"


def test_a_note_stays_until_the_next(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progress("training", total=10)
    bar.add(1, note="validation NLL 0.7")
    clock.now += 5.0
    bar.add(1)
    assert capsys.readouterr().err.rstrip().endswith("validation NLL 0.7")


def test_hours_and_the_unknown(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progress("training", total=7201, unit="step")
    clock.now += 6.0
    bar.at(0)
    clock.now += 6.0
    bar.at(12)
    first, second = capsys.readouterr().err.splitlines()
    assert "? left" in first
    assert "1:59:49 left" in second


def test_whole_things_are_counted_without_decimals(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    for unit, steps in (("file", (1, 13)), ("samples", (1, 1233)), ("B", (1500, 0))):
        with Progress("fetching", math.inf, unit) as bar:
            for step in steps:
                clock.now += 5.0
                bar.add(step)
    assert [" ".join(line.split()) for line in capsys.readouterr().err.splitlines()] == [
        "fetching: 1 file 0.20 file/s", "fetching: 14 files 1.40 file/s",
        "fetching: 1 samples 0.20 samples/s", "fetching: 1,234 samples 123 samples/s",
        "fetching: 1.50k B 300 B/s", "fetching: 1.50k B 150 B/s"]


def test_a_terminal_gets_one_line_that_ends(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    with Progress("reading", total=2) as bar:
        clock.now += 1.0
        bar.add()
        clock.now += 1.0
        bar.add()
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert "\rreading: [##########          ]  50%" in text
    assert "[####################] 100%" in text
    lines = [len(line) for line in text.rstrip("\n").split("\r")]
    assert lines[1:] == sorted(lines[1:])  # a shorter line leaves nothing of the one before


def test_nothing_to_do(clock: Clock) -> None:
    assert list(track([], "nothing", total=0)) == []
    bar = Progress("nothing", total=0)
    clock.now += 10.0
    bar.at(0)


def test_what_does_not_count_says_that_it_is_at_work(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("fitting", total=math.inf, unit="samples") as bar:
        clock.now += 6.0
        bar.at(0)
    assert capsys.readouterr().err == "fitting: at work\n"


def test_of_no_work_nothing_stays(clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                                  ) -> None:
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    with Progress("no training", total=math.inf, unit="samples"):
        pass
    assert capsys.readouterr().err.split("\r")[-1].strip() == ""  # a line that was written over


def spell(word: str) -> None:
    for _ in track(word, "spelling", len(word)):
        pass


def test_a_worker_leaves_the_line_to_its_parent(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
                                                ) -> None:
    monkeypatch.setattr(progress, "EVERY", 1e-9)
    with processes(1) as run:
        list(run(spell, ["abc"]))
    assert capfd.readouterr().err == ""
    spell("abc")
    assert capfd.readouterr().err.count("spelling") == 3


def test_nobody_knows_yet_how_much_there_is(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progress("training", total=math.inf, unit="samples")
    clock.now += 5.0
    bar.at(10)
    assert " ".join(capsys.readouterr().err.split()) == "training: 10 samples 2.00 samples/s"
