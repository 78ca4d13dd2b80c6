"""Coloring files: which are meant, where their color goes, and coloring them."""
