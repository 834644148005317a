"""The cluster that everything is put into: a kind cluster of the program's own, or one that exists."""
