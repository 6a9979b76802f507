"""The jobs of versions: what the coloring and the vectorize worker have in common."""
