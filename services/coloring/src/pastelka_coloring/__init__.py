"""The coloring service: one photo becomes one coloring page, through a provider."""
