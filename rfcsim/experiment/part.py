"""What all that a user describes is made of: checked, frozen, and refused in one line."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rfcsim.errors import RfcsimError, ScenarioError
from rfcsim.experiment.explain import explain


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


class Part(BaseModel, metaclass=_OneLine):
    """A frozen part of a scenario, or of something else that a user describes."""

    error: ClassVar[type[RfcsimError]] = ScenarioError

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")


def known_keys(model: Any) -> dict[str, list[str]]:
    """The keys of a part and of all that it is made of, as `explain` wants them.

    By the field that a part is the value of, and a call by its name; those of `model` by "".
    """
    return {name: list(part.model_fields) for name, part in _tables("", model)}


def _tables(name: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield name, model
    for field, about in model.model_fields.items():
        for part in _parts_in(about.annotation):
            call = part.model_fields.get("call")
            yield from _tables(call.default if call else field, part)


def _parts_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The parts that a type of field is put together from."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts_in(inner)
