"""validate: every row is measured and judged; what cannot be used goes to quarantine with a reason."""

from trivium.params import Params
from trivium.stage import fresh, run, warn


def main(params: Params) -> None:
    from trivium.data import placeholders, tables
    from trivium.data.validation import validate

    with fresh("data/valid") as out:
        report = validate("data/raw", out, params.streams, params.validate_, params.task)
        tables.write_json(report, "reports/validation.json")
    for name, rows in report["tables"].items():
        print(f"{name}: {rows['rows']:,} rows, {rows['quarantined'] + rows['followed']:,} of them in quarantine")
    warn(report["warnings"])
    then = ("and these rows do without it: they are in quarantine." if params.validate_.placeholders == "missing" else
            "so these rows are split like any others. If it is one thing that they are about, give them a `group` of "
            "their own; if it says that there is none, set validate.placeholders: missing.")
    for found in report["placeholders"]:
        print(f"note: {placeholders.said(found)}, {then}")


if __name__ == "__main__":
    run("validate", main)
