"""A kind cluster on this machine's Docker. Standard library only: commands run it under any Python."""
