"""Measures the coloring pages of the local provider on free photos: ``make bench-art``."""
