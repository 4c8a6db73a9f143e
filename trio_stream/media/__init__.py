"""Reading media nobody vouches for, outside the server.

`sandbox` is the server's side. `worker` is the other process: it forks a child for each job, which gives up all it does
not need before it looks at a file. The jobs are in `containers` (`probe`), `artwork`, `subtitles` and `remux`; `wire`
is how both sides talk, and `formats` what the rest of the product and the jobs both speak of.

What runs in the worker imports no event loop and nothing else of the server.
"""
