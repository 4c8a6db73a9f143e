"""What the names of files say, as pure rules: order, families of one film, subtitles, and what has moved.

A name is a relative path as text. Bytes that are no UTF-8 are carried as lone surrogates (PEP 383), so any name
works.

To which family a video belongs follows from its own name and from the title files that name it, and from nothing
else. So it can be decided whenever one row is written, and folders may be looked at in any order. A title file
outranks names; of two title files the one whose path sorts first counts.
"""
