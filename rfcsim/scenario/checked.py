"""The base of all that a user describes, and the types that its fields share."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rfcsim.errors import RfcsimError, ScenarioError
from rfcsim.scenario.explain import explain


class Limits:
    """How large a scenario may be, so that no array or sum of the simulator overflows."""

    PAGES: ClassVar[int] = 2**31  # address space: 8 TiB, one byte of memory a page
    TASKS: ClassVar[int] = 4096
    CPUS: ClassVar[int] = 1024
    NS: ClassVar[int] = 10**15  # any one time: eleven days
    REPEATS: ClassVar[int] = 10**12
    TOTAL_NS: ClassVar[int] = 2**56  # thinking and holding of a program that ends: two years


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Pages = Annotated[int, Field(strict=True, ge=1, le=Limits.PAGES)]
Offset = Annotated[int, Field(strict=True, ge=0, le=Limits.PAGES)]
Nanoseconds = Annotated[int, Field(strict=True, ge=0, le=Limits.NS)]
Distribution = Literal["constant", "exponential", "uniform"]
Protection = Literal["none", "r", "rw", "rx", "x"]


class _OneLine(type(BaseModel)):
    """Turns pydantic's report of bad values into an error of one line."""

    error: type[RfcsimError]

    if not TYPE_CHECKING:  # which takes the arguments of a part from its fields

        def __call__(cls, *args, **values):
            try:
                return super().__call__(*args, **values)
            except ValidationError as error:
                raise cls.error(explain(error, known_keys(cls))) from None


class Checked(BaseModel, metaclass=_OneLine):
    """What a user describes, or a part of it: checked, frozen, and refused in one line."""

    error: ClassVar[type[RfcsimError]] = ScenarioError

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")


def known_keys(model: Any) -> dict[str, list[str]]:
    """The keys of a model and of all models in it, as `explain` wants them.

    By the field that a model is the value of, and a call by its name; those of `model` by "".
    """
    return {name: list(inner.model_fields) for name, inner in _tables("", model)}


def _tables(name: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield name, model
    for field, about in model.model_fields.items():
        for inner in _models_in(about.annotation):
            call = inner.model_fields.get("call")
            yield from _tables(call.default if call else field, inner)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type of field is put together from."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def check_range(name: str, value: int, low: int, high: int) -> None:
    """Refuse an argument that is no whole number of a range."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise RfcsimError(f"{name} = {value!r}: must be a whole number")
    if not low <= value <= high:
        raise RfcsimError(f"{name} = {value}: must be {low} to {high}")
