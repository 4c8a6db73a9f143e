"""Pure rules for file names: sort order, families of versions, subtitles, and moved files.

A name is a relative path as text. Bytes that are not UTF-8 are represented as lone surrogates (PEP 383), so any name
works.

The family of a video follows only from its own name and from the title files that list it. So it can be decided
whenever one row is written, and folders may be scanned in any order. A title file takes precedence over names. If two
title files list a video, the one whose path sorts first counts.
"""
