"""Photos on their way in: uploads and downloads become upright, 8-bit, metadata-free JPEG or PNG files.

``intake`` is the front door for uploads, ``download`` for URLs; both refuse what is no photo by name,
before anything is stored.
"""
