"""Reading media nobody vouches for, outside the server.

A file of a library may come from anywhere, and a parser that reads it can be made to crash, hang, take all memory, or
do what the file wants. So the server never parses one, MP4 boxes aside (`mp4` reads those over plain bytes). It opens
the file and hands the descriptor to another process.

`sandbox` is the server's side. `worker` is the other process: it forks a child for each job, which gives up all it
does not need before it looks at a file. The jobs are in `containers` (`probe`), `artwork`, `subtitles` and `remux`;
`wire` is how both sides talk, and `formats` what the rest of the product and the jobs both speak of.

What runs in the worker imports no event loop and nothing else of the server (a contract in `pyproject.toml`). What
comes back is bounded before it is believed, and types read it strictly (`Facts.from_json`, `Outline.from_json`).

Libraries: FFmpeg by way of PyAV's wheel, so there is no program to install. Encoding will want the program.

Tracks are chosen by one rule (`formats/track_choice.py`), which probe, pictures, outlines and MP4 indexes all ask. So
the facts, the poster, the previews and the segments are of the same track.
"""
