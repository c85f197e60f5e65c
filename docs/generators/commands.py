"""The command line, from its parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from symem.arguments import parser
from symem.commands import COMMANDS


def commands(_: str) -> str:
    """A section for each command: how it is called, what it takes, and its examples."""
    return "\n\n".join(_section(name, each) for name, each in _parsers().items())


def _parsers() -> dict[str, argparse.ArgumentParser]:
    """Each command's parser; argparse keeps them with the action that chooses one."""
    whole = parser(COMMANDS)
    (choice,) = (each for each in whole._actions if isinstance(each, argparse._SubParsersAction))  # noqa: SLF001
    return dict(choice.choices)


def _section(name: str, command: argparse.ArgumentParser) -> str:
    usage = " ".join(command.format_usage().removeprefix("usage: ").split())
    return "\n".join(
        [
            f"## symem {name}",
            "",
            command.description or "",
            "",
            f"```text\n{usage}\n```",
            "",
            "| argument | meaning |",
            "| --- | --- |",
            *_rows(command),
            "",
            f"```text\n{(command.epilog or '').strip()}\n```",
        ]
    )


def _rows(command: argparse.ArgumentParser) -> Iterator[str]:
    for action in command._actions:  # noqa: SLF001 - argparse tells its arguments in no other way
        if action.help in (None, argparse.SUPPRESS) or action.dest == "help":
            continue
        value = "" if action.nargs == 0 else f" {action.metavar or _choices(action)}"
        told = f"{', '.join(action.option_strings)}{value}" if action.option_strings else str(action.metavar)
        words = (action.help or "") % {"default": action.default}
        yield f"| `{told}` | {words.replace('|', chr(92) + '|')} |"


def _choices(action: argparse.Action) -> str:
    return "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
