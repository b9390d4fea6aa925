"""A domain that no model learns from, so that one sees how models do where they have never been."""

from __future__ import annotations

import difflib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import tables
from trivium.settings.errors import UserError

UNUSED, DOMAIN = tables.SPLITS.index("unused"), tables.SPLITS.index("domain")


def hold_out(fixed: np.ndarray, samples: pa.Table, groups: np.ndarray, domain: str) -> list[str]:
    """Put the rows of `domain` on the side DOMAIN, in place; returns warnings. Raises: UserError (no such domain).

    Rows of other domains that share a group with them are UNUSED: a model that learned from them would know a part of
    what is held out.
    """
    if not domain:
        return []
    given = samples["domain"] if "domain" in samples.column_names else pa.nulls(len(fixed), pa.string())
    own = are(given, domain)
    if not own.any():
        raise UserError(f"split.held_out_domain in params.yaml is `{domain}`, but {_known(given, domain)}")
    if own.all():
        raise UserError(f"split.held_out_domain in params.yaml is `{domain}`, of which all samples of this data are: "
                        "nothing is left to learn from. Set it to \"\", or bring rows of another domain.")
    held = np.zeros(int(groups.max()) + 1, dtype=bool)
    held[groups[own]] = True
    fixed[held[groups]] = UNUSED
    fixed[own] = DOMAIN
    torn = int((fixed == UNUSED).sum())
    return [f"{torn:,} rows are unused: they share a group or content with rows of the held-out domain "
            f"`{domain}`."] if torn else []


def _known(domains: pa.Array | pa.ChunkedArray, wanted: str) -> str:
    """What is wrong with a domain that no row has, and what to do."""
    known = sorted(pc.unique(domains).drop_null().to_pylist())
    if not known:
        return ("no sample of this data has a domain: name the column that says it (data.manifest.domain), or set "
                "split.held_out_domain to \"\".")
    near = difflib.get_close_matches(wanted, known, 1)
    shown = ", ".join(f"`{name}`" for name in known[:10]) + (", ..." if len(known) > 10 else "")
    return "no sample has this domain. " + (f"Did you mean `{near[0]}`? " if near else "") + f"The data has {shown}."


def are(column: pa.Array | pa.ChunkedArray, value: str) -> np.ndarray:
    """bool per row: whether it is `value`."""
    return pc.fill_null(pc.equal(column, value), False).to_numpy(zero_copy_only=False)
