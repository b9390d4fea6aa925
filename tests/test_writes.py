"""What is written is whole: through `machine.files`, or into a folder that is renamed when all of it is there."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
METHODS = {"write_text", "write_bytes", "to_parquet", "to_csv", "to_json", "to_pickle", "savefig", "tofile"}
FUNCTIONS = {"save_file", "ParquetWriter", "new_file", "copyfile", "copy", "copy2", "copytree"}
OF = {"copy": {"shutil"}, "copy2": {"shutil"}, "copyfile": {"shutil"}, "copytree": {"shutil"}}
NUMPY = {"save", "savez", "savez_compressed", "savetxt"}
WRITING = set("wax+")


def bare(text: str) -> list[tuple[str, str]]:
    """(function, what it calls) of each write of a module that is not to the scratch file of `files.whole`."""
    found = list[tuple[str, str]]()

    def visit(node: ast.AST, inside: str, scratches: frozenset[str]) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{inside}.{node.name}".lstrip(".")
        if isinstance(node, ast.With):
            for item in node.items:
                made, name = ast.unparse(item.context_expr), item.optional_vars
                if isinstance(name, ast.Name) and any(one in made for one in ("whole(", "files.weights(", *scratches)):
                    scratches |= {name.id}
        if isinstance(node, ast.Call) and (what := writes(node)):
            names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            if not names & scratches:
                found.append((inside, what))
        for child in ast.iter_child_nodes(node):
            visit(child, inside, scratches)

    visit(ast.parse(text), "", frozenset())
    return found


def writes(call: ast.Call) -> str:
    """What a call writes with; "" where it writes no file."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name in METHODS or (name in FUNCTIONS and (name not in OF or owner in OF[name])):
        return name
    if (name in NUMPY and owner == "np") or (name, owner) in {("save", "torch"), ("write_table", "pq")}:
        return f"{owner}.{name}"
    if name == "open":
        told = call.args[0 if owner and owner not in ("io", "gzip", "wave", "Image") else 1:]
        modes = [*told[:1], *(word.value for word in call.keywords if word.arg == "mode")]
        if any(isinstance(one, ast.Constant) and isinstance(one.value, str) and set(one.value) <= set("rwaxbt+") and
               WRITING & set(one.value) for one in modes):
            return "open"
    return ""


def found() -> list[str]:
    return [f"{file.relative_to(ROOT)}:{inside}:{what}" for place in ("src/trivium", "pipeline")
            for file in sorted((ROOT / place).rglob("*.py")) for inside, what in bare(file.read_text())]


IN_A_FOLDER = {  # that takes its place when all in it is there and on the disk: `stage.fresh`, or `machine.cache`
    "src/trivium/comparison/curves.py:_csv:open",
    "src/trivium/comparison/figures.py:write:write_text",
    "src/trivium/data/arrow_file.py:Writer.__init__:new_file",
    "src/trivium/data/ragged.py:RaggedWriter.__init__:new_file",
    "src/trivium/data/sources/digits.py:_make:write_bytes",
    "src/trivium/data/sources/events.py:write:write_bytes",
    "src/trivium/data/sources/stamps.py:_table:copyfile",
    "src/trivium/data/sources/symbols.py:_store:write_bytes",
    "src/trivium/data/sources/waves.py:write:write_bytes",
    "src/trivium/data/texts.py:write:ParquetWriter",
    "src/trivium/evaluation/analyse.py:_keep_vectors:save_file",
    "src/trivium/evaluation/answers.py:write:save_file",
    "src/trivium/evaluation/pictures.py:draw:write_text",
    "src/trivium/evaluation/predictions.py:writer:ParquetWriter",
    "src/trivium/experiments/update.py:_keep:copy",
    "src/trivium/machine/cache.py:link:copy",
    "src/trivium/serving/export/graph.py:write:write_bytes",
    "src/trivium/serving/export/int8.py:write:write_bytes",
    "src/trivium/serving/export/write.py:code:copyfile",
    "src/trivium/serving/package.py:write:copy",
    "src/trivium/serving/package.py:code:copy",
}
OF_ONE_PROCESS = {  # scratch, which nobody reads after it
    "src/trivium/data/sources/encoded.py:_copied:open",
    "src/trivium/data/sources/raw.py:wav:open",  # in memory, as the next one
    "src/trivium/modalities/recordings/written.py:content:new_file",
    "src/trivium/machine/engines/attempts.py:begin:copy2",  # an attempt, whose checkpoints are sealed
    "src/trivium/machine/engines/away.py:take:write_bytes",  # an attempt, as it comes from a node
    "src/trivium/runtime/values.py:as_file:write_bytes",
    "src/trivium/serving/latency/graphs.py:write:write_text",
    "src/trivium/serving/latency/graphs.py:_rows:np.savez",
    "src/trivium/tracking/confusion.py:write:write_text",  # these go to MLflow from a temporary folder
    "src/trivium/tracking/runs.py:Writer._artifacts:copy",
    "src/trivium/tracking/runs.py:Writer._artifacts:write_text",
    "src/trivium/tracking/runs.py:_table:open",
    "src/trivium/tracking/runs.py:_trials:open",
    "src/trivium/tracking/lineage.py:_run:write_text",
    "src/trivium/tracking/runs.py:_swaps:open",
    "src/trivium/training/together.py:_attempt:copytree",
}
BY_HAND = {  # a scratch file that takes its place when it is whole
    "src/trivium/data/tables.py:Writer._write:ParquetWriter",  # of `files.whole`, kept open
    "src/trivium/importing/fetched.py:_get:write_text",  # a part that the next attempt goes on with, or refuses
    "src/trivium/importing/written.py:_Cells._media:write_bytes",  # many: the disk is not waited for
    "src/trivium/machine/digests.py:seal:open",  # of a checkpoint, before it takes its place
    "src/trivium/runtime/written.py:_parquet:ParquetWriter",  # of `files.whole`
    "src/trivium/tracking/store.py:opened:copyfile",
    "src/trivium/training/private.py:secret:open",  # nobody else may read it, from the first byte on
    "src/trivium/training/sharded.py:Sharded.save:torch.save",  # of a checkpoint
}
VAULT = {  # into the private folder, which goes with the stage, or the scratch file beside
    "src/trivium/machine/vault/convert.py:decrypt:copy", "src/trivium/machine/vault/folder.py:Folder._link:copy",
    "src/trivium/machine/vault/folder.py:Folder._link:copytree", "src/trivium/machine/vault/folder.py:clear:open",
    "src/trivium/machine/vault/folder.py:made:open", "src/trivium/machine/vault/sealed.py:seal:open",
    "src/trivium/machine/vault/sealed.py:unseal:open",
}
NO_RECORD = {  # locks, logs, what nobody hears
    "src/trivium/cli/foresee.py:link:write_bytes",  # tries how the disk links
    "src/trivium/machine/engines/sent.py:_alone:open",
    "src/trivium/runtime/server/__main__.py:work:open",
    "src/trivium/runtime/watch.py:append:open",
    "src/trivium/tracking/ui.py:start:open",
    "src/trivium/training/together.py:_other:open",
}


def test_no_file_is_written_where_it_is_read() -> None:
    known = IN_A_FOLDER | OF_ONE_PROCESS | BY_HAND | VAULT | NO_RECORD
    bare_ones = set(found())
    assert bare_ones - known == set(), "write it with `trivium.machine.files`"
    assert known - bare_ones == set(), "these write no more: take them off the list"


def test_a_planted_write_is_found_and_one_through_the_helper_is_not() -> None:
    text = """
def bad(path, table):
    path.write_text("x")
    with open(path, "w") as file:
        file.write("x")
    with path.open("ab") as file:
        pass
    np.save(path, table)
    torch.save(table, path)
    shutil.copy(path, "elsewhere")
def good(path, table):
    files.write(path, "x")
    with files.whole(path) as scratch, scratch.open("wb") as file:
        np.save(file, table)
    with files.whole(path) as scratch:
        scratch.write_bytes(b"x")
    with path.open() as file, gzip.open(path, "rb"):
        table.copy()
"""
    assert bare(text) == [("bad", what) for what in (
        "write_text", "open", "open", "np.save", "torch.save", "copy")]
