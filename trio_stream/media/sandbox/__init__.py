"""The server's side of the media worker.

Each way a job can end has one meaning:

    a reply                                                           media info, or derived files
    the parser refused, crashed, sent invalid data or too much,
    or took too much memory or too long                               `MediaUnreadable`: do not try again
    a read failed, or the deadline passed while it waited for one     `SourceUnreadable`: the disk
    killed from outside, or the deadline passed and it got no CPU     `MediaWorkerFailed`: this server

FFmpeg treats a disk error as the end of the file. So the file object remembers the first error, and the result from
half a video is discarded.

When a job is cancelled, its child is killed and reaped before the cancellation continues. The worker is started on
demand, ended after a minute without a job, and replaced if it dies.
"""
