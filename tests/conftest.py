"""The order of the tests: files with slow ones come first, so that at the end no process waits for the other's. And
what one test puts on the path of modules is not there for the next.
"""

import sys
from collections.abc import Iterator

import pytest

PATH: list[str] = []


def pytest_collection_finish() -> None:
    PATH[:] = sys.path


@pytest.fixture(autouse=True)
def the_path_of_modules() -> Iterator[None]:
    """MLflow puts the code of a model that it loads in front; other processes of a later test would run that."""
    yield
    sys.path[:] = PATH


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
