"""From a video that was asked for to what is sent: the index of its file, its title, its segments.

Here the catalog, the database and the rules of packaging meet.
"""
