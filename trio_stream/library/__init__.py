"""The folder of videos, and what is known of it.

The folder is the truth; the database says what is known of it. Floors, from the ground up: `naming` (rules of names),
`folder` (the file system), `records` (SQL), `scan` (keeps the database as the folder is), `background` (what is made of
the videos).
"""
