"""The chain of schema revisions, shipped in the wheel: an installed service migrates its own database.

001 to 004 are the schema of the system we replace, under its revision numbers; 005 and later convert it to
ours.
"""
