"""The report of a rollout, from its history: one HTML page that needs nothing else, and Markdown for a pull request."""

from analysis.report.markdown import markdown
from analysis.report.page import html

__all__ = ["html", "markdown"]
