"""The tables that the figures of interruptions and faults become."""

from __future__ import annotations

from tests.e2e.trust_figures import DOCUMENT, TABLES

HEAD = {"date": "2026-01-02", "cpus": 2, "versions": {"pulumi": "v1"}}


def outcome(during: str, seconds: float, lost: str = "") -> dict[str, object]:
    """One interruption by SIGKILL."""
    return {
        "during": during,
        "point": f"at {seconds}",
        "interruption": "SIGKILL",
        "seconds": seconds,
        "unlocked": True,
        "lost": lost,
        "sent": 1000 if during == "release" else 0,
        "lost_requests": 0,
    }


def test_interruptions_are_counted_by_what_and_how_and_a_loss_is_not_hidden() -> None:
    outcomes = [outcome("fresh up", 1.0), outcome("fresh up", 2.0, "it failed"), outcome("release", 3.0)]
    table = TABLES["interruptions"]({**HEAD, "outcomes": outcomes})
    assert "| fresh up | SIGKILL | 2 | 1 | 1 | 2 | 2.0 s | – |" in table
    assert "| release | SIGKILL | 1 | 1 | 0 | 1 | 3.0 s | 1,000, 0 |" in table
    assert "at 1.0; at 2.0" in table


def test_a_fault_is_told_with_what_it_cost() -> None:
    found = [{"fault": "gateway crashes", "sent": 1234, "lost": ["a", "b"], "seconds": 5.0, "ups": 0}]
    assert "| gateway crashes | 1,234 | 2 | 5.0 s | – |" in TABLES["faults"]({**HEAD, "faults": found})


def test_the_document_has_a_place_for_each_table() -> None:
    text = DOCUMENT.read_text()
    assert all(f"<!-- {name} -->\n" in text and f"<!-- end of {name} -->\n" in text for name in TABLES)
