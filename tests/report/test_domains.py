"""The page of `trivium domains` with what a few labels are worth."""

from trivium.comparison.each_domain import EachDomain, One, Sides
from trivium.comparison.intervals import Span
from trivium.comparison.transfers import Level, Transfer
from trivium.report.domains import render, summary
from trivium.tasks.classification import Classification


def found(transfer: Transfer | None) -> EachDomain:
    def span(mean: float) -> Span:
        return Span(mean=mean, low=mean - 0.05, high=mean + 0.05)

    west = One(name="west", n=120, inside=80.0, strategies={"x": Sides(title="Joint", inside=span(0.9),
                                                                      outside=span(0.2), drop=span(0.7))},
               recommended="x", verdict="Take “Joint”.", sentence="It loses.", transfer=transfer)
    return EachDomain(title="Mine", metric=Classification(["a", "b"]).metrics["accuracy"], seeds=3, confidence=0.95,
                      domains=[west], left=[], sentence="So.", rest="And so.")


def test_a_few_labels_are_a_table_of_their_domain() -> None:
    value = Span(mean=0.2, low=0.1, high=0.3)
    better, ahead = Span(mean=0.6, low=0.5, high=0.7), Span(mean=-0.4, low=-0.5, high=-0.3)
    levels = [Level(labels=0, rows=0.0, ways={"continued": value}, ahead={}),
              Level(labels=10, rows=20.0, ways={"continued": value, "scratch": better}, ahead={"scratch": ahead})]
    made = found(Transfer(strategy="x", title="Joint", test=76.0, levels=levels))
    page = " ".join(render(made).split())
    assert "Tested on 76 other rows of it" in page and "ahead of scratch" in page and "−40.0" in page
    assert "labels of a class" in page and "How far “Joint” is ahead" in page
    assert "the simple reference on them alone" not in page
    said = summary(made)
    assert "west, 0 labels of each class: “Joint” as it is 20.0 %" in said
    assert ("west, 10 labels of each class: “Joint” goes on with them 20.0 %, from scratch on them alone 60.0 %"
            in said)


def test_without_labels_there_is_no_such_table() -> None:
    assert "few labels" not in render(found(None)) and "labels of each class" not in summary(found(None))


def test_how_many_domains_seem_harder_by_chance() -> None:
    one = found(None)
    many = one.model_copy(update={"domains": one.domains * 12})
    assert "about 0.3 of 12 would still clearly seem so by chance" in " ".join(render(many).split())
