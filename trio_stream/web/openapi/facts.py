"""The shapes of what is in a file, as JSON Schema 2020-12; `media/formats/facts.py` has them."""

from trio_stream.web.openapi.parts import (
    Json,
    a_state,
    flag,
    listing,
    nullable,
    number,
    object_of,
    ref,
    text,
    whole,
)

LANGUAGE = nullable(text("A BCP 47 tag; null where the file says none.", examples=["pt-BR"]))
CODEC = text("As FFmpeg names it.", examples=["h264"])
INDEX = whole("The number of the track in the file.")
TITLE = nullable(text("What the file calls it."))
BIT_RATE = nullable(whole("Bits a second."))
FRACTION = {"type": "string", "pattern": "^[0-9]+/[0-9]+$"}


def schemas() -> Json:
    """All of them, by name."""
    common = {"index": INDEX, "codec": CODEC}
    codec_string = nullable(text("As browsers know it (RFC 6381).", examples=["avc1.64001f"]))
    profile = nullable(text("The profile of the codec."))
    default = flag("Whether the file flags it as the default.")
    return {
        "Facts": object_of(
            "What is in a file.",
            {
                "container": text("A short name.", examples=["mp4", "matroska", "webm", "mpegts"]),
                "duration": nullable(number("Seconds, of the whole film.")),
                "start": number(
                    "Seconds that the clock in the file shows at the beginning; all else counts from 0."
                ),
                "until": nullable(
                    number(
                        "Seconds up to which it is there, if its end is missing; null: nothing is known to be missing."
                    )
                ),
                "recoded": flag(
                    "Whether the coding of a track changes, as sample entries of an MP4 file say: browsers that play"
                    " the file itself stop there."
                ),
                "bit_rate": BIT_RATE,
                "title": TITLE,
                "video": listing("Its tracks of pictures, the one that is played first.", ref("VideoTrack")),
                "audio": listing("Its tracks of sound, the one to begin with first.", ref("AudioTrack")),
                "subtitles": listing("Its tracks of subtitles.", ref("SubtitleTrack")),
                "chapters": listing("In their order; none goes on behind the end.", ref("Chapter")),
                "keyframes": nullable(
                    ref("Keyframes") | {"description": "Where it can be cut; null if nobody knows."}
                ),
                "cover": nullable(
                    whole(
                        "The number of a track of stills that is no film: a cover, or one for each chapter."
                    )
                ),
            },
        ),
        "VideoTrack": object_of(
            "A track of pictures.",
            common
            | {
                "codec_string": codec_string,
                "profile": profile,
                "width": whole("Pixels as they are stored."),
                "height": whole("Pixels as they are stored."),
                "pixel_aspect": FRACTION | {"description": "Width of a pixel over its height."},
                "rotation": whole(
                    "Degrees a player turns it clockwise, once it is mirrored where the file says so."
                ),
                "frame_rate": nullable(FRACTION | {"description": "Pictures a second in the mean."}),
                "variable_frame_rate": flag("Whether they come unevenly."),
                "pixel_format": nullable(text("As FFmpeg names it.", examples=["yuv420p"])),
                "bit_depth": nullable(whole("Bits of a sample.")),
                "transfer": nullable(text("As in ITU-T H.273.", examples=["bt709"])),
                "primaries": nullable(text("As in ITU-T H.273.", examples=["bt709"])),
                "hdr": nullable(a_state("High dynamic range.", "HDR10", "HLG", "Dolby Vision")),
                "bit_rate": BIT_RATE,
                "language": LANGUAGE,
                "title": TITLE,
                "default": default,
            },
        ),
        "AudioTrack": object_of(
            "A track of sound.",
            common
            | {
                "codec_string": codec_string,
                "profile": profile,
                "channels": whole("How many."),
                "layout": nullable(text("Their places.", examples=["stereo", "5.1(side)"])),
                "sample_rate": whole("Hz."),
                "bit_rate": BIT_RATE,
                "language": LANGUAGE,
                "title": TITLE,
                "default": default,
            },
        ),
        "SubtitleTrack": object_of(
            "A track of subtitles.",
            common
            | {
                "text": flag("Words; otherwise they are pictures."),
                "language": LANGUAGE,
                "title": TITLE,
                "forced": flag("For what is foreign in the film only."),
                "hearing_impaired": flag("With sounds described."),
                "default": default,
            },
        ),
        "Chapter": object_of(
            "A chapter.",
            {"start": number("Seconds."), "end": number("Seconds."), "title": TITLE},
        ),
        "Keyframes": object_of(
            "Where decoding can begin.",
            {
                "track": whole("The number of the track."),
                "count": whole("How many places are known."),
                "until": nullable(number("Seconds up to which they are known; null: to the end.")),
            },
        ),
    }
