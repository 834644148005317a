"""Figures: the program against the tutorial typed by hand, and against the engine's own floor."""
