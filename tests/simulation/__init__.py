"""Simulated rollouts: how often the analysis fails a candidate that is well, and misses one that is not."""
