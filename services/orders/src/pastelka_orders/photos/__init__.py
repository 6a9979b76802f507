"""Intake of photos: converts uploads and downloads to upright, 8-bit, metadata-free JPEG or PNG.

``intake`` accepts uploads, ``download`` fetches URLs; both reject invalid files with their name, before
anything is stored.
"""
