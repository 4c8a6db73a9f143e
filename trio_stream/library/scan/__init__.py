"""Keeps the database as the folder is.

A look goes through the folders one at a time, one `stat` a file, and compares each folder with its rows. Only new and
changed files are opened. Nothing is held for the library as a whole, so memory does not grow with it.

There is a full look at the start, after each `TRIO_STREAM_SCAN_INTERVAL`, and when somebody asks. In between the
scanner hears of changes (inotify, FSEvents) and looks at those folders. That is a help and not a promise: where it
cannot hear, `/api/library` and the log say so, and the full looks remain.

A file is taken up once it rests: its inode has not changed for two seconds or, if the clock that writes that down is
not ours (a network disk), it was the same at the look before. A file that was just renamed is not waited for.

A look that meets the new place of a file first takes it for a new video. When it finds the old place empty, the old
video takes over what the new one was. So the order of folders does not matter, and nothing is remembered for the end
of the look.

While a title file in a folder does not rest, nothing there counts as gone: a title file that is renamed takes its
title along. A few title files are taken up in one transaction, so nobody waits for thousands.
"""
