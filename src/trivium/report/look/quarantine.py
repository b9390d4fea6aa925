"""What validation checked, and what it set aside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trivium.data.timeline import cut_of
from trivium.drawing import numbers
from trivium.modalities.anonymised import said
from trivium.report.parts import Cell, Table

MOST = 24  # reasons in a table


class Reads(Protocol):
    """What knows where the outs are, and reads a JSON among them, `{}` where there is none."""

    root: Path

    def json(self, path: str) -> Any: ...


@dataclass(frozen=True)
class Validation:
    """What was checked (`expectations`, none where that is not known) and what was set aside (none: nothing was)."""

    sentence: str
    quarantine: Table | None
    expectations: Table | None


def of(inputs: Reads) -> Validation | None:
    """What validation checked, and the rows that it set aside, by reason."""
    import pyarrow.parquet as pq

    path = inputs.root / "data/valid/quarantine.parquet"
    if not path.exists():
        return None
    rows, report = pq.read_table(path).to_pylist(), inputs.json("reports/validation.json")
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        example = str(row.get("sample") or row.get("key") or row.get("value"))
        reasons.setdefault((str(row["table"]), str(row["reason"])), []).append(example)
    order = sorted(reasons, key=lambda key: (-len(reasons[key]), key))
    cells = [
        [
            Cell(where, head=True),
            Cell(reason),
            Cell(numbers.whole(len(reasons[where, reason])), classes="number"),
            Cell(", ".join(reasons[where, reason][:3])),
        ]
        for where, reason in order[:MOST]
    ]
    checks = _checks(report)
    checked = Table("Expectations", ["table", "expectation", "rows that fail", "result"], checks)
    return Validation(
        " ".join([_said(rows, report, cut_of(inputs.root) is not None), *_anonymised(report)]),
        Table("Rows in quarantine", ["table", "reason", "rows", "for example"], cells) if cells else None,
        checked if checks else None,
    )


def _said(rows: list[dict[str, Any]], report: dict[str, Any], cut: bool) -> str:
    """How many samples were lost, and how many lost a stream. rows: of the quarantine;  cut: whether recordings are
    cut into stretches: each is then on one side, and what is of one file on all.
    """
    sizes = {name: table.get("rows", 0) for name, table in (report.get("tables") or {}).items()}
    total = sizes.get("labels") or max(sizes.values(), default=0)
    of = f" of {numbers.plural(total, 'row')}" if total else ""
    if not rows:
        return f"Nothing was set aside: all{of[3:] or ' rows'} passed."
    out: dict[str, set[str]] = {}
    for row in rows:
        out.setdefault(str(row["table"]), set()).add(str(row.get("sample") or row.get("key")))
    gone = out.pop("labels", set())
    left = [f"{numbers.whole(len(kept))} lost {'its' if len(kept) == 1 else 'their'} {stream}"
            for stream, samples in out.items() if (kept := samples - gone)]
    text = f"{numbers.whole(len(gone))}{of or ' rows'} went to quarantine" if gone else "No row was lost"
    text += f"; {'of the others, ' * bool(gone)}{', '.join(left)}." if left else "."
    copies = (report.get("duplicates") or {}).get("samples")
    return text + (
        f" {numbers.plural(copies, 'sample')} share content with another and stay on one side of every split."
        if copies and not cut
        else ""
    )


def _anonymised(report: dict[str, Any]) -> list[str]:
    """What of which texts was replaced before they were kept."""
    return [f"Of {stream}, {said(one['found'], one['texts'], one['rows'])}."
            for stream, one in (report.get("anonymised") or {}).items()]


def _checks(report: dict[str, Any]) -> list[list[Cell]]:
    """One row per expectation of `reports/validation.json`, those that failed first."""
    found = [(suite["name"], rule) for suite in report.get("suites") or [] for rule in suite["expectations"]]
    found.sort(key=lambda item: item[1]["success"])
    return [
        [
            Cell(suite, head=True),
            Cell(rule["says"]),
            Cell(numbers.whole(rule["unexpected"]), classes="number"),
            Cell(
                "✓ holds"
                if rule["success"]
                else "! reported only"
                if rule["level"] == "warning"
                else "✗ rows set aside"
            ),
        ]
        for suite, rule in found
    ]
