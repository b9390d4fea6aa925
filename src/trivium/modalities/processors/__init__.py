"""Processors other than a modality's own, which stands in the modality's file.

One file each, with `MODALITY`, which it is for, and `Settings`. No training is behind those that the recipe `simple`
reads, and all their settings have defaults; `extracted` does what a published model was trained with.
"""
