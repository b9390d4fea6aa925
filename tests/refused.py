"""What is said of settings that are refused, for the tests of params.yaml."""

from typing import Any

import pytest

from trivium.params import check, parse
from trivium.settings.errors import UserError

# columns of a manifest that stand beside its streams
OTHERS = {"manifest": {name: name for name in ("path", "id", "label", "group", "split", "language", "domain", "start",
                                               "end")}}


def streams(*names: str) -> dict[str, Any]:
    """`data.streams` with streams that are called like their modality."""
    return {"streams": {name: {"modality": name} for name in names}}


def message(params: Any) -> str:
    """What is said of settings that are refused before anything is imported."""
    with pytest.raises(UserError) as caught:
        parse(params)
    return str(caught.value)


def checked(params: Any) -> str:
    """What is said of settings that name a file of ours wrongly."""
    with pytest.raises(UserError) as caught:
        check(parse(params))
    return str(caught.value)


def put(params: dict[str, Any], dotted: str, value: Any) -> None:
    *sections, key = dotted.split(".")
    for part in sections:
        params = params[part]
    params[key] = value
