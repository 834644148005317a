"""Kafka, PostgreSQL and Redis as Helm releases, and what outlives an update of them."""
