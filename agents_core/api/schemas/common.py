"""What all answers share: every field is always there, an absent one as null."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Fields that V1 clients look for and this product has no use for keep their defaults."""

    model_config = ConfigDict(protected_namespaces=())


class Body(BaseModel):
    """A request's body. Fields that are not listed are ignored."""

    model_config = ConfigDict(protected_namespaces=())

    def given(self) -> dict[str, object]:
        """The fields that were sent and are not null: null leaves a field as it is."""
        return {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}


class StrictBody(Body):
    """A body whose unknown fields are refused."""

    model_config = ConfigDict(protected_namespaces=(), extra="forbid")
