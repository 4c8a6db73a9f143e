"""Keeps the database in step with the folder.

A scan visits the folders one at a time, with one `stat` per file, and compares each folder with its rows. Only new and
changed files are opened. No state is held for the library as a whole, so memory does not grow with it.

A full scan runs at the start, after each `TRIO_STREAM_SCAN_INTERVAL`, and on request. In between, the scanner is
notified of changes (inotify, FSEvents) and scans those folders. Notifications are not guaranteed: where they do not
work, `/api/library` and the log say so, and the full scans remain.

A file is added once it has settled: its inode has not changed for two seconds, or it has not changed since the
previous scan, if the clock that sets the inode's time is not ours (a network disk). A renamed file counts as settled.

If a scan finds the new path of a moved file first, it adds a new video. When it then finds the old path empty, the old
video takes over the new one. So the order of folders does not matter, and nothing is left for the end of the scan.

While a title file in a folder has not settled, no title file there counts as gone, because it may have been renamed
and then keeps its title. Title files are stored a few per transaction, so other writes need not wait for thousands.
"""
