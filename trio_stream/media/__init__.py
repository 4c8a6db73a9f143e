"""Read untrusted media outside the server.

A file of a library may come from anywhere, and a crafted file can make its parser crash, hang, use up all memory or run
code. So the server never parses one, except for MP4 boxes (`mp4` reads those over plain bytes). It opens the file and
passes the descriptor to another process.

`sandbox` is the server's side. `worker` is the other process: it forks a child for each job, and the child gives up
every privilege it does not need before it touches a file. The jobs are in `containers` (`probe`), `artwork`,
`subtitles` and `remux`. `wire` is the protocol between the two sides, and `formats` holds the types and rules that the
jobs share with the rest of the product.

Code that runs in the worker imports no event loop and nothing else of the server (a contract in `pyproject.toml`). The
size of a reply is limited, and it is parsed strictly (`MediaInfo.from_json`, `Outline.from_json`).

Libraries: FFmpeg through PyAV's wheel, so there is no program to install. Encoding will need the program.

One rule chooses tracks (`formats/track_choice.py`) for the probe, artwork, outlines and MP4 indexes. So the media
info, the poster, the thumbnails and the segments come from the same track.
"""
