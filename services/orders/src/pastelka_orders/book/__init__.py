"""The printed coloring book: from the chosen pages of an order to one PDF.

Composing needs no database and no storage: :mod:`.process` passes files and a description to the composer in
a separate process, which writes a PDF and previews of its sheets.
"""
