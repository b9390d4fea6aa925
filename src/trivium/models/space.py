"""The common space of aligned components: what takes each one's vectors there, kept beside its weights.

`space.safetensors` in a component's folder: `project` [W, D] and `scale` [], the learned inverse temperature.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from trivium.machine import files

NAME = "space.safetensors"
SHARPEST = 100.0  # inverse temperature, as in CLIP


def save(project: Tensor, scale: Tensor, folder: Path) -> None:
    """The same weights give the same bytes."""
    from safetensors.torch import save_file

    found = {"project": project, "scale": scale}
    with files.weights(folder / NAME) as scratch:
        save_file({key: value.detach().cpu().contiguous() for key, value in found.items()}, str(scratch))


def there(folder: Path) -> bool:
    return (folder / NAME).exists()


def load(folder: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(str(folder / NAME))
