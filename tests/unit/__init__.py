"""Unit tests: the program under a recording engine, its pure parts by property, its commands against stand-ins."""
