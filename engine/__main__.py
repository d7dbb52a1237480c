"""The command line: what the pages do, for scripts and terminals.

    python -m engine presets | train | search | evaluate | export | predict | datasets

Results go to standard output, the last line being JSON where asked for; progress and errors go to standard error, an
error in one line with exit status 2. Nothing here computes: every command (engine/commands/) is a few calls into the
engine, and loads what it calls only when it is asked for.
"""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while libraries load, Ctrl-C ends the process without a traceback

import argparse
import contextlib
import importlib
import os
import sys
import warnings
from collections.abc import Sequence

from engine import blas
from engine.commands.options import UsageError
from engine.commands.terminal import Line
from engine.errors import InputError, shorten

COMMANDS = {
    "presets": "list the published experiments, or check what they claim",
    "train": "train a network",
    "search": "try many values of hyper-parameters",
    "predict": "read digits from a picture or from pen strokes",
    "evaluate": "measure a trained network on the test examples of a data set",
    "export": "write a trained network for other programs",
    "datasets": "list the data sets, or download one",
}

ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ours: one line, reported where all are."""

    def parse_known_args(self, args=None, namespace=None):
        """Refuse what is unknown here, where --help says what is known; a command would leave it to the whole."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def error(self, message: str):
        raise UsageError("{message} (see {program} --help)", message=message, program=self.prog)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return what a command line asks for; `options.carry_out(options)` carries it out. Raises `UsageError`."""
    parser = Parser(prog="python -m engine", description="Kasane's engine on the command line.", allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Parser)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, allow_abbrev=False)
        if name in argv:  # whichever is meant, it is among these
            module = importlib.import_module(f"engine.commands.{name}")
            command.description = module.__doc__
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            module.add_arguments(command)
            command.set_defaults(carry_out=module.run)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command line and return its exit status."""
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
        blas.one_thread()
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # everything is loaded: from now on we answer
        status = options.carry_out(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more when it flushes at exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        Line().clear()  # a prompt, or an error, would stand behind how far the work was
        return INTERRUPTED
    except (InputError, OSError) as error:
        Line().clear()
        print(f"error: {shorten(str(error), 600)}", file=sys.stderr)
        return ERROR


def prepare() -> None:
    """Make the process fit for any terminal, or none."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started this: nobody wants to read it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for the whole process)
    sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without “ or λ is no reason to stop
    if not sys.warnoptions:  # what libraries warn of is for developers; it would come before an error's one line
        warnings.simplefilter("ignore")


if __name__ == "__main__":
    prepare()
    sys.exit(main())
