"""The vectorize service: converts coloring pages to SVGs with a provider."""
