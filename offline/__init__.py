"""Builds every binary and image of the environment from package registries; the program never imports it."""
