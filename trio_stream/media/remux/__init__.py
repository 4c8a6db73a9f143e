"""The jobs `outline`, `init` and `segment`: tracks of any container as fragmented MP4, without encoding.

The jobs share no state, and the same request always gives the same bytes. So segments can be cached, and any process
can build them. Six seconds of 1080p (8 Mbit/s) take 25 ms of CPU time from Matroska and 45 from MPEG-TS, of which 8 are
for starting the child; the server spends 15 ms on receiving and storing them.

An outline says how each track is carried, where the video can be cut, how large the keyframes there are, and how many
bytes are between them. Files of up to 64 MiB are read completely. For a larger one the index is used: QuickTime's
tables have everything, and Matroska's Cues list keyframes, of which some are checked. Sizes are estimated then; a
keyframe that was not checked is assumed to be as large as the others, but no larger than what is stored up to the next
one. A large file without an index is read for at most 45 s, and the outline says how far that got.

FFmpeg's muxer writes an init segment from the first few packets of a track. A segment is built here, by seeking:

- We do not trust how a container seeks. We seek to a place before the segment, and to an earlier one if the first
  packet is too late. FFmpeg would read Matroska without an index from its beginning, so a binary search finds the place
  (`containers/clusters.py`).
- A time depends only on the packet's own timestamp and on the track. So segments meet exactly, in whatever order they
  are built. Audio times that were rounded to milliseconds are put back onto the grid of its packets.
- Decode times are computed again, because demuxers guess them after a seek. A frame is decoded for as long as it is
  shown, so that none seems to overlap the next: Chromium drops a keyframe that is overlapped. All decode times are
  earlier by what reordering needs, and an edit list in the init segment compensates for it. Negative offsets would need
  no edit list, but FFmpeg takes them for a delay of the track.
- A single keyframe, for trick play, is shown until the next one of the playlist, so joined ones leave no gap.
- Parameter sets that never change are only in the init segment. Otherwise the track is `avc3` or `hev1`: samples keep
  theirs, and a keyframe that has none gets those that apply. FLV has a new description of its video before one packet,
  which a seek would miss, so the outline lists up to 200 changes and FLV is read completely like MPEG-TS. Matroska is
  handled in the same way if keyframes have other sets than the track description.
- What an open GOP shows before its keyframe belongs to the keyframe's segment.
- What precedes 0 (priming, hidden frames) is kept, and the edit list hides it.
- Packets that an edit list of QuickTime cuts away are left out, unless a frame that is shown needs them. If an edit
  begins between two keyframes, the file is refused.
- The last packet of audio is padded, and the duration of its sample covers only the audible part; the playlists end
  there, and so does Media Source. FFmpeg plays the padding, at most one packet of it (13.5 ms of Opus), as it does in
  MP4 files it wrote itself: neither a sample's duration nor an edit list prevents it, and fragments have no third place
  for it.
- Memory: the packets of the segment, at most 160 MiB, twice that if their framing changes (MPEG-TS), plus 32 MiB.

Files of several parts. Each part is outlined and remuxed like a file, from its own bytes, and begins with the
millisecond in which the one before ended. At most 1,000 parts are played. A track continues as the one with the same
PID, or else as the next track of its kind. If the frames of an audio track say that its coding changes (`headers`), it
continues as a new section of its rendition from that frame on. The section is read alone, after the tables that were
sent last, so FFmpeg finds out how it is coded. Video continues, with one more cut near there. A track that is missing
from a part has a gap: its last sample lasts until it continues. Init segments are built with the outline and compared,
ignoring their bit rates; equal ones are stored once.

For what cannot be carried, the outline gives the reason: codecs that no browser plays in MP4 (VP8, Vorbis, MPEG-2,
PCM), and AVI with reordered frames, because AVI does not say when they are shown.
"""
