"""The process that reads media: it forks a child for each job, which is locked down before it looks at a file.

Why a worker that forks: importing FFmpeg takes longer than probing a film (33 MB and a tenth of a second). A fork of
a process that did so costs two milliseconds, and a hostile file still gets a process of its own, which dies with what
it did.

Before a child looks at the file it gives up everything else: limits on memory, processor time, descriptors, files and
processes; and on Linux (x86-64, 64-bit ARM) a filter of system calls that leaves reading, computing and answering. If
no such filter can be had, the limits stand alone and the log says so. A child can load no module any more, so
whatever a job needs is imported with the job's module, before the fork.

Nothing outlives the server. A child dies with the worker (`PR_SET_PDEATHSIG` follows the thread that forked, and the
worker has one thread); the worker ends when its socket to the server does.

A child is idle for the scheduler and for the disk, unless somebody waits for it (`urgent`). The worker is not: it has
to hear at once that a child is to be killed.
"""
