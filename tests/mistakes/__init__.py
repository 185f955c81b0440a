"""Mistakes that people make, and the one line that each ends with: docs/errors.md is made of it.

``table`` has them; a mistake is a command, or Python, in a folder that ``places.lay_out`` has
filled; ``happening`` makes them. The page shows the whole line, so that a message that changes is a
page that changes.
"""
