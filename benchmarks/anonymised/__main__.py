"""How much of what tells who people are is found in texts, and how much else: `python -m benchmarks.anonymised`.

Texts of 15 languages in nine scripts, with one planted value each and much that only looks like one. The sentences and
names are others than those that the patterns were made with (`--development` measures those), and so is the seed.
Writes benchmarks/results/anonymised.json and the table in docs/anonymised-text.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.anonymised import planted, values
from benchmarks.anonymised.planted import Text
from benchmarks.machine import machine
from trivium.modalities.anonymised import KINDS, Rules, Settings, found, names

RESULT, PAGE = Path("benchmarks/results/anonymised.json"), Path("docs/anonymised-text.md")
BEGIN, END = "<!-- made by benchmarks.anonymised -->", "<!-- end -->"
HOPELESS = ("name, alone, not on the list", "phone, as dialled at home")  # too many to list
SEEDS = {"development": 1, "measured": 20261129}


def measure(texts: list[Text], rules: dict[str, Rules]) -> dict[str, object]:
    """rules: of each language."""
    listed = {language: names.Listed(one.key, frozenset(one.names), one.lengths) for language, one in rules.items()}
    whole, planted_in, by_language = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    right, said, misses, wrong = Counter[str](), Counter[str](), [], []
    each = Counter[tuple[str, str]]()
    started = time.process_time()
    for one in texts:
        spans = found(one.text, rules[one.language], listed[one.language])
        for start, end, kind, manner in one.planted:
            covered = all(any(a <= k < b for a, b, _ in spans) for k in range(start, end)
                          if one.text[k].isalnum())
            planted_in[manner] += 1
            each[kind, one.language] += 1
            whole[manner] += covered
            by_language[kind, one.language] += covered
            if not covered and manner not in HOPELESS:
                misses.append([one.language, manner, one.text])
        for start, end, kind in spans:
            hit = any(start < b and a < end and kind == own for a, b, own, _ in one.planted)
            said[kind] += 1
            right[kind] += hit
            if not hit:
                wrong.append([one.language, kind, one.text[start:end], one.text])
    seconds = time.process_time() - started
    return {"texts": len(texts), "languages": sorted(rules), "microseconds_a_text": round(1e6 * seconds / len(texts)),
            "recall": {manner: {"planted": count, "found": whole[manner]}
                       for manner, count in sorted(planted_in.items())},
            "precision": {kind: {"found": said[kind], "right": right[kind]} for kind in KINDS},
            "by_language": {kind: {language: [by_language[kind, language], each[kind, language]] for language in
                                   sorted(rules)} for kind in KINDS},
            "misses": misses[:200], "wrong": wrong[:200]}


def rules(of: object, regions: bool) -> dict[str, Rules]:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "names.txt"
        path.write_text("\n".join(planted.listed(of)), encoding="utf-8")  # type: ignore[arg-type]
        return {language: Rules.of(Settings(names=str(path), regions=values.REGIONS[language] if regions else ()), "")
                for language in of.VALUES}  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--development", action="store_true", help="measure on the other sentences, and write nothing")
    parser.add_argument("--each", type=int, default=40, help="texts per language and sort of value")
    arguments = parser.parse_args()
    if arguments.development:
        from benchmarks.anonymised import development as of
    else:
        from benchmarks.anonymised import measured as of  # type: ignore[no-redef]
    seed = SEEDS["development" if arguments.development else "measured"]
    texts = list(planted.texts(of, arguments.each, seed))
    result = {"without regions": measure(texts, rules(of, False)), "with regions": measure(texts, rules(of, True))}
    if arguments.development:
        print(json.dumps(result, indent=1, ensure_ascii=False))
        return
    result |= {"machine": machine(), "seed": seed, "each": arguments.each}
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table(result)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def table(result: dict) -> str:
    """Markdown: recall of each sort of value, precision of its kind; without, and with, the regions of the texts."""
    lines = ["| what was planted | found, of all planted | right, of all found of this kind | found, with `regions` | "
             "right |",
             "|---|---|---|---|---|"]
    plain, more = result["without regions"], result["with regions"]
    for manner in plain["recall"]:
        kind = manner.partition(",")[0]
        cells = [manner]
        for one in (plain, more):
            recall, precision = one["recall"][manner], one["precision"][kind]
            cells += [f"{share(recall['found'], recall['planted'])} of {recall['planted']:,}",
                      f"{share(precision['right'], precision['found'])} of {precision['found']:,}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def share(part: int, whole: int) -> str:
    return "-" if not whole else f"{100 * part / whole:.1f} %"


if __name__ == "__main__":
    main()
