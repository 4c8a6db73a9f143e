"""The jobs `subtitle_tracks` and `subtitle_file`: convert subtitles in a file and in a sidecar to WebVTT.

A parser for each format converts text to cues, in time proportional to its length, and `formats/cues.py` writes all
cues as WebVTT, which is valid for any text. ASS is also stored unchanged, for players that support it. Bitmap subtitles
and TTML are listed with the reason why they have no text.

FFmpeg treats WebVTT in MP4 as data, so the tracks are found in `moov` (`mp4/webvtt.py`).
"""
