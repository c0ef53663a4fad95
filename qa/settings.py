"""What a user sets once: by `SOURCIER_…` environment variables, or in `sourcier.toml`, which they override."""

from __future__ import annotations

import tomllib
from pathlib import Path

from platformdirs import user_config_path, user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from qa.errors import SourcierError


class Settings(BaseSettings):
    """The library to open, the embedding of a new one, the seq2seq model that settles between answers."""

    model_config = SettingsConfigDict(env_prefix="SOURCIER_", env_ignore_empty=True, extra="forbid")

    library: Path = Field(default_factory=lambda: user_data_path("sourcier") / "library")
    embedding: str = "french-small"
    reader: str | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then the file."""
        return env_settings, TomlConfigSettingsSource(settings_cls, toml_file=settings_file())


def settings_file() -> Path:
    """Where the user's file is, if there is one."""
    return user_config_path("sourcier") / "sourcier.toml"


def settings() -> Settings:
    """The settings as they are now; raises SourcierError where the file is wrong."""
    try:
        return Settings()
    except tomllib.TOMLDecodeError as error:
        raise SourcierError(f"{settings_file()} : ce n’est pas du TOML valide ({error}).") from error
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, e["loc"])) for e in error.errors())
        known = ", ".join(Settings.model_fields)
        raise SourcierError(
            f"Réglage inconnu ou faux : {wrong} (dans {settings_file()}, on règle {known})."
        ) from error
