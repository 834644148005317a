"""End-to-end tests: the real engine on a real cluster."""
