"""Version jobs: code shared by the coloring and the vectorize worker."""
