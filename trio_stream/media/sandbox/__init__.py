"""The server's side of the process that reads media.

Each way a job can end has one meaning:

    an answer                                                         facts, or files that were made
    the parser refused, crashed, answered nonsense or too much,
    took too much memory or too long                                  `MediaUnreadable`: do not try again
    a read failed, or time ran out while it waited for one            `SourceUnreadable`: the disk
    killed from outside, or time ran out and it got no processor      `MediaWorkerFailed`: this server

FFmpeg takes an error of the disk for the end of the file. So the file it reads from remembers the first error, and
what was made of half a film is thrown away.

When a job is cancelled, its child is killed and reaped before the cancellation goes on. The worker is started when it
is wanted, ended after a minute without a job, and replaced when it died.
"""
