"""What a stage leaves as JSON, typed: its model stands beside the writer, and whoever reads the file uses that."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from trivium.data.tables import read_json, write_json
from trivium.settings.errors import UserError


class Part(BaseModel):
    """Of an out: frozen; a key that it does not know is of another version. What is None is not written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def plain(self) -> dict[str, Any]:
        """A JSON value."""
        return self.model_dump(exclude_none=True)


class Out(Part):
    """A whole file."""

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Raises: UserError (the file is empty or broken, or another version of Trivium made it)."""
        return cls.checked(read_json(path), path)

    @classmethod
    def checked(cls, value: Any, where: str | Path) -> Self:
        """Of a JSON value that came from `where`. Raises: UserError (see `read`)."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "its whole content"
            raise UserError(f"{where} was made by another version of Trivium ({place}: {first['msg'].lower()}). Run "
                            "`dvc repro`, which makes it again.") from None

    @classmethod
    def found(cls, path: str | Path) -> Self | None:
        """The same; None where there is no such file."""
        return cls.read(path) if Path(path).exists() else None

    def write(self, path: str | Path) -> None:
        """The same values give the same bytes."""
        write_json(self.plain(), path)
