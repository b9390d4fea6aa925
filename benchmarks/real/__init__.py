"""Real public data sets, built from package registries, and a small independent yardstick for them."""
