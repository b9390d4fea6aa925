"""How training batches may be changed in ways that keep their meaning: a file for each modality, with `Settings`, in
which everything is off, and `augment(x, generator, spec, settings)`, which without settings does what is `USUAL`:
that is what `loop.augment: true` means.

Draws are the generator's, on the CPU, so that every device changes the same samples in the same way.
"""
