"""What comes from outside: release manifests, charts, images; fetched once, pinned, kept."""
