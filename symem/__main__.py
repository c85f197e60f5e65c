"""The command line: derive, emit, fit, verify, audit and report a model that a Python file defines.

Results go to stdout, messages to stderr. Exit status: 0 done; 1 a check failed, a parameter has no closed-form
update, or the fit did not converge; 2 the command, the model or the data are at fault; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from symem.arguments import Command, parser
from symem.commands import COMMANDS, DONE, FAILED, say
from symem.errors import BudgetError, NotDerivedError, SymemError, VerificationError
from symem.runtime.wording import _Words
from symem.writing import spell_out

MISUSED, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = parser(COMMANDS).parse_args(arguments)
    command: Command = options.command
    for stream in (sys.stdout, sys.stderr):
        spell_out(stream)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            return command(options)
        except KeyboardInterrupt:
            return _complain("interrupted; nothing more was written.", INTERRUPTED)
        except BrokenPipeError:  # the reader, such as `head`, has seen enough; Python must not flush into it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        except (BudgetError, NotDerivedError, VerificationError) as error:
            return _complain(error, FAILED)
        except (SymemError, OSError) as error:
            return _complain(error, MISUSED)


def _complain(error: BaseException | str, status: int) -> int:
    say(_Words("error: ", str(error)))
    return status


def _show_warning(message: Warning | str, *_: Any) -> None:
    say(_Words("warning: ", str(message)))


if __name__ == "__main__":
    sys.exit(main())
