"""Typer in French, and the commands that other packages add, imported only when used."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup

from qa.cli.output import console, errors_in_one_line, plain

PLUGINS = "sourcier.commands"
USAGE = 2

_USAGE_ERRORS = (
    (r"Missing \w+ '(.+?)'.*", "Il manque {}"),
    (r"Missing command.*", "Il manque une commande"),
    (r"No such command '(.+?)'.*", "Commande inconnue : {}"),
    (r"No such option: (\S+).*", "Option inconnue : {}"),
    (r"Option '(.+?)' requires .*", "L’option {} demande une valeur"),
    (r"Option '(.+?)' does not take .*", "L’option {} ne prend pas de valeur"),
    (r"Got unexpected extra argument\S* \((.*)\)", "Argument en trop : {}"),
    (r"Invalid value for '(.+?)'.*", "Valeur refusée pour {}"),
)


class FrenchGroup(TyperGroup):
    """A group of commands whose help and usage errors are in French, an error in one line."""

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, *rest: Any, **extra: Any
    ) -> Any:
        """Run the command line and leave with 0, 1 or 2."""
        _translate_help()
        try:
            code = super().main(args, prog_name, *rest, **(extra | {"standalone_mode": False}))
        except Exception as error:
            if getattr(error, "exit_code", None) != USAGE:
                raise
            _explain(error)
            sys.exit(USAGE)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what a user can mend becomes one line."""
        with errors_in_one_line():
            return super().invoke(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _translate_option(command, ctx)
        return command

    def get_help_option(self, ctx: Any) -> Any:
        """The option `--help`."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "Affiche cette aide."
        return option


class ExtensibleGroup(FrenchGroup):
    """The same, joined by the commands of other packages."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        return [*super().list_commands(ctx), *sorted(_plugins())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name."""
        if cmd_name not in self.commands and (plugin := _plugins().get(cmd_name)):
            alone = typer.Typer(add_completion=False, rich_markup_mode=self.rich_markup_mode)
            alone.command(cmd_name)(plugin.load())
            self.commands[cmd_name] = typer.main.get_command(alone)
        return super().get_command(ctx, cmd_name)


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=PLUGINS)}


def _translate_help() -> None:
    from typer import rich_utils

    rich_utils.COMMANDS_PANEL_TITLE = "Commandes"
    rich_utils.DEFAULT_STRING = "[défaut : {}]"
    rich_utils.REQUIRED_LONG_STRING = "[obligatoire]"


def _translate_option(command: Any, ctx: Any) -> None:
    option = command.get_help_option(ctx)
    if option is not None:
        option.help = "Affiche cette aide."
    command.options_metavar = "[OPTIONS]"


def _explain(error: Any) -> None:
    """Say in French, in one line, what is wrong with the command line."""
    ctx = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        return
    message = error.format_message()
    for pattern, french in _USAGE_ERRORS:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            message = french.format(*(f"« {plain(group)} »" for group in found.groups()))
            break
    command = ctx.command_path if ctx is not None else "sourcier"
    console.print(f"{message} : voyez « {command} --help ».", style="red", markup=False, soft_wrap=True)
