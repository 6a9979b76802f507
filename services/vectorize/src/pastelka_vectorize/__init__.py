"""The vectorize service: one coloring page becomes one SVG, through a provider."""
