"""Coloring files on disk: which are meant, where their color goes, and writing it."""
