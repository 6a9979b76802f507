"""The printed coloring book: from the chosen pages of an order to one PDF.

Composing knows no database and no storage: :mod:`.process` is given files and a description, runs the
composer in a process of its own, and gets a PDF and pictures of its sheets.
"""
