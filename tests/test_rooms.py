"""The rooms of src/trivium stand one above the other: a room imports only rooms below it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "src/trivium"
FLOORS = (  # from the roof to the ground
    "cli", "experiments", "tracking", "serving", "report", "comparison", "evaluation", "training", "strategies",
    "objectives", "models", "fusion", "runtime", "importing", "data", "encoders", "modalities", "tasks", "drawing",
    "machine", "settings",
)
ROOF = ("stage", "params")  # what the scripts of pipeline/ share


def imported(text: str) -> set[str]:
    """Rooms that a module imports anywhere, but for what only type checkers see."""
    tree = ast.parse(text)
    guarded = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    unseen = {id(inner) for node in guarded for inner in ast.walk(node)}
    found = set()
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {parts[1] for name in found if (parts := name.split("."))[0] == "trivium" and len(parts) > 1}


def arrows(root: Path) -> list[str]:
    """Imports that point upward, each as "file -> room"."""
    wrong = []
    for file in sorted(root.rglob("*.py")):
        mine = file.relative_to(root).parts[0].removesuffix(".py")
        if mine in ROOF or mine == "__init__":
            continue
        wrong += [f"{file.relative_to(root)} -> {other}" for other in sorted(imported(file.read_text()))
                  if other != mine and other in FLOORS and FLOORS.index(other) < FLOORS.index(mine)]
        wrong += [f"{file.relative_to(root)} -> {other}" for other in sorted(imported(file.read_text()))
                  if other in ROOF and FLOORS.index(mine) > FLOORS.index("experiments")]
    return wrong


def test_every_room_has_a_floor():
    rooms = {path.name.removesuffix(".py") for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__init__", "__pycache__", *ROOF} == set(FLOORS)


def test_a_room_imports_only_rooms_below_it():
    assert arrows(ROOT) == []


def test_an_arrow_that_points_upward_is_named(tmp_path):
    (tmp_path / "encoders").mkdir()
    (tmp_path / "encoders/cnn.py").write_text("def build():\n    from trivium.report import html\n    return html\n")
    (tmp_path / "encoders/fine.py").write_text("from trivium.settings.errors import UserError\n")
    assert arrows(tmp_path) == ["encoders/cnn.py -> report"]
