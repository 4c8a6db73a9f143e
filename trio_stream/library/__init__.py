"""The folder of videos, and what is known of it.

naming.py          names as people sort, find and shorten them, and as URLs spell them (pure)
content.py         what makes a file's bytes these bytes: fingerprints, revisions, digests
walking.py         the folders, one at a time
listing.py         the names of all videos, as the folders are now
catalog.py         opening a video safely; opening.py does so without a thread
moves.py           which video a new file is, if it is one that has gone (pure)
sidecars.py        which subtitle files belong to a video, by their names (pure)
subtitle_files.py  the same for a folder on the disk
known.py           what the database knows of the folder; records.py is how a look changes that
scanner.py         looks at the folder and writes down what it sees; watching.py hears of changes
resting.py         which files nobody writes to any more
chores.py          what is to be made of the videos, as rows
keeper.py          makes it: facts, subtitles, pictures
derived.py         the files that were made; sweeping.py brings them and the database together
progress.py        how all that is getting on
pages.py           pages of the library, and all that is known of a video
names.py           names by id, remembered for a moment
watch_state.py     where people stopped and what they have seen
"""
