"""Runs databudgie 3, which is written in Swift: `databudgie`, or `python -m databudgie_cli`.

There is no API for Python here; that of databudgie 2 is in the package `databudgie`.
"""

import os
import pathlib
import sys

PROGRAM = pathlib.Path(__file__).parent / "bin" / "databudgie"


def main():
    """Becomes the program: signals and the exit code are its own."""
    os.execv(PROGRAM, ["databudgie", *sys.argv[1:]])
