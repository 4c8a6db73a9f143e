"""The API, including the bytes of videos: one module for each part of it.

`/api/stream` is sent with `no-cache`: its address names a file that may change, so a cache must revalidate its copy,
and gets a 304 while that is current. Addresses with a revision are cached forever.

A WebSocket message is a view of at most 256 KiB. A server does not mask its frames, so a frame is a short header and
then the unchanged bytes of the file. A frame cannot be abandoned in the middle without losing the connection, so a seek
waits for the current one; that is why messages are smaller than chunks over HTTP. Messages that are copies have at most
64 KiB. With `?format=fmp4` another init segment is sent wherever the codec configuration changes.
"""
