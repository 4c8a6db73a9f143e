"""The jobs `subtitle_tracks` and `subtitle_file`: subtitles in a file and beside one, as WebVTT.

A parser for each format makes cues of text, in time proportional to its length, and `formats/cues.py` writes all of
them as WebVTT that no text can break. ASS is kept as it is as well, for players that know it. Subtitles that are
pictures, or TTML, are rows with the reason.

WebVTT in MP4 is data to FFmpeg, so `moov` says which tracks are that (`mp4/webvtt.py`).
"""
