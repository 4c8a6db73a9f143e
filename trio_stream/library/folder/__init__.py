"""The folder of videos as the file system has it: walking it, opening in it safely, hearing of its changes.

Everything here waits for the disk, so it runs in worker threads under limiters of its own. One exception: a path
whose folders the kernel has in memory is opened on the event loop (`openat2` with `RESOLVE_CACHED`), because the
thread would cost more than a small file.

A folder that cannot be read is not an empty one. `Unread` says so, and nothing is concluded from it: a disk that is
not mounted loses no video.

What makes a content the same content, here and on another server: size, modification time, and a hash of four samples
of 64 KiB (of all bytes, if there are fewer). Device and inode are left out, so a copy that kept its time is probed
and drawn only once. Reading the samples takes a thread and four reads for each state of a file; the last 4,096 are
remembered by device, inode, size, modification and change time. The change time cannot be put back, so an edit that
restores the modification time is noticed.

`GET /api/videos` without parameters lists what is there now, not what the database knows. All who ask share one
reader, which remembers the names in each folder and reads a folder again when its times have changed. A folder that
changed in the last two seconds is read each time, because file systems count in steps of up to two; so is one with
links in it.

A title file is text that somebody wrote by hand: at most 8 KiB of TOML and 12 names, relative and within its folder.
Nothing is opened because it names something. One that is not understood groups nothing; it is logged, and listed in
`/api/library`.
"""
