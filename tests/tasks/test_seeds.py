from trivium.tasks.seeds import best


def test_the_best_seed_has_the_lowest_validation_nll_and_of_equal_ones_the_lowest_number() -> None:
    seeds = [{"seed": seed, "validation": {"nll": nll}} for seed, nll in ((0, 0.7), (2, 0.5), (1, 0.5), (3, 0.6))]
    assert best(seeds)["seed"] == 1
