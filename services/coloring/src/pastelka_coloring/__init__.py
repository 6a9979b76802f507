"""The coloring service: generates coloring pages from photos with a provider."""
