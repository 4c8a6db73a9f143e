"""Reading media nobody vouches for, outside the server.

In the server:   sandbox.py   keeps one worker, and runs jobs on descriptors
                 process.py   that worker, as the server sees it;  answer.py  what a child's answer means
                 facts.py     what a probe finds, outline.py what packaging has to know (pure)
Between:         wire.py      the framing both sides speak (pure)
In the worker:   worker.py    imports FFmpeg once and forks a child for each job
                 lockdown.py  what a child gives up before it touches the media
                 jobs.py      what a job is given: a file to read, a reply to write
                 opening.py   the one way a job opens media with FFmpeg
                 choosing.py  which tracks are played (pure);  streams.py  asks it of an open container
                 probe.py     the job that finds the facts;  keyframes.py  where decoding can begin
                 codecs.py    names codecs as browsers know them (pure)
                 pictures.py  the job that makes a poster and preview tiles: stills.py finds frames,
                              shrinking.py makes small pictures of them, blurhash.py and tiles.py are pure
                 outlining.py the job that says how a file is remuxed, and remux.py those that do it: reading.py finds
                              the packets of a piece, clusters.py those of Matroska without an index, survey.py and
                              indexes.py what there is in a file; samples.py, timing.py and fragment.py are pure
                 texts.py     the jobs that make WebVTT of subtitles: charsets.py, subtitles.py, ass.py, markup.py
                              and cues.py are pure

What runs in the worker imports no event loop and nothing else of the server.
"""
