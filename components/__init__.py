"""Reusable infrastructure: one noun a file, pure helpers beside them. Knows nothing of the conference application."""
