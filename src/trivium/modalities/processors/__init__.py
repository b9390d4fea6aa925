"""Processors that no training is behind: what the recipe `simple` reads.

One file each, with `MODALITY`, which it is for, and `Settings`, all of which have defaults. A modality's own processor
stands in the modality's file.
"""
