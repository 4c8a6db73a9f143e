"""The folder of videos.

naming.py     names as people sort them, and as URLs spell them (pure)
catalog.py    which videos there are, and opening one of them safely
"""
