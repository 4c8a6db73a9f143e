"""The folder of videos on the file system: walks it, opens files in it safely, watches it for changes.

Everything here waits for the disk, so it runs in worker threads under separate limiters. One exception: if the kernel
has the folders of a path in memory, the file is opened on the event loop (`openat2` with `RESOLVE_CACHED`), because a
thread would cost more than a small file.

An unreadable folder is not treated as empty. It raises `Unread`, and its rows stay as they are: an unmounted disk loses
no videos.

A content is identified, here and on other servers, by its size, its modification time, and a hash of four samples of
64 KiB (of all bytes, if there are fewer). Device and inode are left out, so a copy that preserves the time is probed,
and its artwork generated, only once. Sampling takes a thread and four reads for each state of a file. The last 4,096
fingerprints are cached by device, inode, size, modification time and change time. Programs cannot set the change time,
so an edit that restores the modification time is noticed.

`GET /api/videos` without parameters lists the folder as it is now, not the database. All requests share one reader. It
remembers the names in each folder and reads a folder again when its times have changed. A folder that changed in the
last two seconds is read each time, because file systems round times to up to two seconds; so is a folder with links.

A title file is written by hand: at most 8 KiB of TOML and 12 names, relative to its folder and within it. The files
that it names are not opened. An invalid title file groups nothing; it is logged, and listed in `/api/library`.
"""
