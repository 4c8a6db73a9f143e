"""The jobs `outline`, `init` and `segment`: tracks of any container as fragmented MP4, nothing coded anew.

None of the three needs to know what another one has read, and the same question has the same answer, byte for byte,
so segments can be kept and made by anybody. Six seconds of 1080p (8 Mbit/s) take 25 ms of processor time from
Matroska and 45 from MPEG-TS, of which 8 are the child's own start; the server spends 15 on taking and keeping them.

An outline says how each track is carried, where the video can be cut, how large the keyframes there are, and how many
bytes lie between. Files of up to 64 MiB are read through. A larger one is asked for its index: QuickTime's tables say
everything, and Matroska's Cues name keyframes, of which some are looked at. Sizes are estimated then; a keyframe
nobody looked at is taken to be as large as the others, but no larger than what lies up to the next one. A large file
without an index is read for at most 45 s, and the outline says how far that went.

An init segment is made by FFmpeg's muxer from the first few packets of a track. A segment is made here, by seeking:

- How a container seeks is not believed. It is asked for a place before the piece, and for an earlier one if what
  comes is too late. Matroska without an index would be read from its beginning, so the place is found by halving
  (`containers/clusters.py`).
- A time is a function of the packet's own timestamp and of the track. So pieces meet, in whatever order they are
  made. Sound whose times were rounded to milliseconds is put back onto the grid of its packets.
- Decode times are made anew, as demuxers guess them after a seek. A picture is decoded for as long as it is shown, so
  that none seems to reach into the next: Chromium throws away a keyframe that is overlapped. All are earlier by what
  reordering needs, and an edit list in the init segment takes that back. Negative offsets would need no edit list,
  but FFmpeg takes them for a delay of the track.
- A keyframe by itself, for trick play, is shown until the next one of the playlist, so joined ones leave no gap.
- Parameter sets that never change stand in the init segment alone. Else the track is `avc3` or `hev1`: samples keep
  theirs, and a keyframe that has none gets those in force. FLV describes its pictures anew before one packet, which
  nobody meets who seeks, so the outline notes up to 200 changes and FLV is read through like MPEG-TS. In Matroska it
  is the same where keyframes bring other sets than the track is described with.
- What an open group shows before its keyframe belongs to the keyframe's segment.
- What lies before 0 (priming, hidden pictures) stays, and the edit list hides it.
- Packets that an edit list of QuickTime cuts away are left out, unless a picture that is shown needs them. If a piece
  begins between two keyframes, the file is refused.
- The last packet of sound is padded, and its sample is said to be as long as it is heard; the playlists end there,
  and so does Media Source. FFmpeg plays the padding, at most one packet of it (13.5 ms of Opus), as it does in MP4 of
  its own making: neither a sample's duration nor an edit list keeps it from that, and fragments have no third place
  to say it.
- Memory: the packets of the piece, at most 160 MiB, once more if they are framed in another way (MPEG-TS), and 32
  MiB.

Files of several parts. Each part is outlined and remuxed as a file of its own, from bytes nobody joined, and begins
with the millisecond in which the one before ended. At most 1,000 parts are played. Tracks go on that have the same
PID, else the next of their kind. A sound whose frames say that its coding changes (`headers`) goes on as another
stretch of its rendition, from that very frame on. It is read by itself, behind the tables that were sent last, so
FFmpeg finds out how it is coded. Pictures go on, with one more cut near to there. A track that a part lacks has a
gap: its last sample lasts until it goes on. Init segments are made with the outline and compared, without what they
say of bit rates; equal ones are one.

What cannot be carried has its reason in the outline: codecs that no browser plays in MP4 (VP8, Vorbis, MPEG-2, PCM),
and AVI whose pictures are out of order, because AVI does not say when they are shown.
"""
