"""The media worker: it forks a child for each job, which is locked down before it touches a file.

Why a worker that forks: importing FFmpeg takes longer than probing a video (33 MB and a tenth of a second). A fork of a
process that has imported it costs two milliseconds, and a hostile file still gets its own process, which dies with
everything it did.

Before a child touches the file it gives up everything else: there are limits on memory, CPU time, descriptors, files
and processes, and on Linux (x86-64, 64-bit ARM) a system call filter that leaves reading, computing and replying. If
there is no such filter, only the limits apply and the log says so. A child can no longer load modules, so everything
that a job needs is imported with the job's module, before the fork.

Nothing outlives the server. A child dies with the worker (`PR_SET_PDEATHSIG` follows the thread that forked, and the
worker has only one); the worker ends when its socket to the server does.

A child has idle priority for the scheduler and for the disk, unless a client waits for it (`urgent`). The worker keeps
normal priority, because it must react immediately when a child is to be killed.
"""
