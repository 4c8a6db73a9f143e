"""The API and the bytes: one module for each part of it.

`/api/stream` is sent with `no-cache`: its address names a file that may change, so a cache may keep what it has but
asks first, and gets a 304. Addresses with a revision are cached for ever.

A WebSocket message is a view of at most 256 KiB. A server does not mask its frames, so a frame is a short header and
then the very bytes of the file. A frame cannot be abandoned half-way without losing the connection, so a seek waits
for the one under way; that is why messages are smaller than chunks over HTTP. Where bytes are copied they have at
most 64 KiB. With `?format=fmp4` another init segment is sent wherever the coding changes.
"""
