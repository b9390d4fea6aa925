"""Near-duplicates: values of one modality that are nearly the same, as the same picture at another quality is.

A file per modality has
    LEAST                                  how alike two values are, at least (`split.near_duplicates`)
    prints(values, root) -> list           what is kept of each value, None where it says too little to compare
    pairs(prints, least) -> int64 [P, 2]   those of them that are as alike, the smaller number first
and pairs are looked for among neighbours (see `near.py`), never among all: that would be quadratic.
"""
