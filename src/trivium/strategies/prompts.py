"""Classification by the nearest class prompt, from components that share a space (CLIP's zero-shot protocol; Radford et
al. 2021, section 3.1). With `shots: 0` what is predicted depends on no label; validation sets one temperature, as of
every strategy. With more, so many labelled rows of each class join its prompt in the class's centre.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from trivium.strategies.base import Common, Plan

TITLE = "Class prompts on {start}"


def _has_place(template: str) -> str:
    if "{}" not in template:
        raise ValueError("`{}` in it says where the class goes, such as `a photo of a {}`")
    return template


class Settings(Common):
    """template: of a class's prompt;  prompts: class -> what stands for it in the template, in place of its name;
    own_text: whether samples are read by their text, too;  shots: labelled train rows of each class, drawn by the seed.
    """

    template: Annotated[str, AfterValidator(_has_place)] = "{}"
    prompts: dict[str, str] = Field(default_factory=dict)
    own_text: bool = False
    shots: Annotated[int, Field(ge=0)] = 0


def plan(settings: Settings) -> Plan:
    return Plan("prompts")
