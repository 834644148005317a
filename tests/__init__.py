"""Tests: `unit` needs no cluster and takes seconds, `e2e` runs the real engine against a real cluster."""
