"""The commands of `python -m engine`, a module each: its docstring is what --help says, and it has two functions.

`add_arguments(parser)` adds what the command takes; `run(options)` carries it out and returns its exit status.
"""
