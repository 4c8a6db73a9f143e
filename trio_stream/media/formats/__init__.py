"""What is known of media, as plain data and pure rules: what packaging, the library and the worker all speak of.

Choosing tracks. Of pictures: those that move before stills, those that browsers play before the others, the file's
default flag, the first. Images (JPEG, PNG) that come fewer than twice a second are stills, as of chapters or slides;
those of cameras are a film. Stills are a film only where there is no sound; else the sound plays, and the first of
them is its poster. Of sounds: commentaries, audio descriptions and those for the hard of hearing come last, then the
default flag decides. FFmpeg reports these flags; in MP4 they are the enabled flag of `tkhd` and the roles in `kind`
boxes. Facts and playlists list tracks in this order, and `DEFAULT=YES` goes to the first of each group.

Languages are BCP 47 tags from the place where they enter: probes, names of files, indexes of MP4
(`trio_stream.languages`). A label is only what a file says beside language and kind.

Parsers of subtitles and character sets are our own because what reads strangers' files must not import anything late,
and because those that were tried lose text (`charsets`, `subtitles/srt.py` say what and when).

AAC may list its channels itself, which Chromium's Media Source refuses, and with it the whole film. A list in a
standard order is described by the number of that order (`aac`). FFmpeg's own encoder lists 5.1(side), 2.1 and quad in
orders that have no number: such a sound is left out with that reason, though browsers play it given the file itself.
"""
