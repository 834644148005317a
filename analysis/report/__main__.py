"""`python -m analysis.report HISTORY`: the report of a recorded rollout, as a page, as Markdown, or both."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis import AnalysisError, history
from analysis.report import html, markdown


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m analysis.report", description=__doc__)
    parser.add_argument("history", type=Path, help="file of a rollout's events, one line of JSON each")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page here")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write Markdown here (default: to the output)")
    given = parser.parse_args(arguments)
    try:
        events = history.read(given.history)
        if given.html:
            given.html.write_text(html(events))
        if given.markdown:
            given.markdown.write_text(markdown(events))
        if not given.html and not given.markdown:
            sys.stdout.write(markdown(events))
    except AnalysisError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
