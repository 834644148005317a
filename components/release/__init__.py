"""The release model: revisions, traffic, and a service with its tracks."""
