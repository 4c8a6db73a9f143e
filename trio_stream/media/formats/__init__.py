"""Plain data types and pure rules about media, shared by packaging, the library and the worker.

Choosing tracks. Among video tracks, motion video comes before still images, codecs that browsers play before others,
then tracks with the file's default flag, then the first. A track of images (JPEG, PNG) with fewer than two frames per
second holds still images, such as chapter images or slides; one with more, as from a camera, is motion video. Still
images are played only if there is no audio; otherwise the audio plays, and the first image is its poster. Among audio
tracks, commentaries, audio descriptions and those for the hard of hearing come last, and the default flag decides among
the others. FFmpeg reports these flags; in MP4 they are the enabled flag of `tkhd` and the roles in `kind` boxes. Media
info and playlists list tracks in this order, and `DEFAULT=YES` goes to the first of each group.

Languages are converted to BCP 47 tags on entry: in probes, file names, MP4 indexes (`trio_stream.languages`). A label
holds only what a file says in addition to language and kind.

We have our own parsers of subtitles and character sets, because code that reads untrusted files must not import
anything late, and because the libraries we tried lose text (`charsets` and `subtitles/srt.py` say which and when).

AAC may list its channels itself. Chromium's Media Source refuses such a track, and with it the whole video. If the list
matches a standard layout, the track is described by the number of that layout (`aac`). FFmpeg's own encoder lists
5.1(side), 2.1 and quad in orders that have no number. Such a track is left out with that reason, although browsers
play it from the file itself.
"""
