"""The folder of videos.

naming.py     names as people sort them, and as URLs spell them (pure)
sidecars.py   which subtitle files belong to a video, by their names; languages.py knows what words mean (pure)
catalog.py    which videos there are, and opening one of them safely
"""
