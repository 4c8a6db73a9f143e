"""The shapes of what was watched and how far, as JSON Schema 2020-12."""

from trio_stream.library.naming.paths import LONGEST_NAME
from trio_stream.library.records.exports import EXPORT, MOST_PLAYS
from trio_stream.library.records.watch_state import LONGEST
from trio_stream.web.openapi.parts import (
    NAME,
    NEXT,
    OK,
    Json,
    flag,
    listing,
    moment,
    nullable,
    number,
    object_of,
    ref,
    text,
    whole,
)

_NAME_FORM = r"^[^\u0000\uD800-\uDC7F\uDD00-\uDFFF]+$"
"""What the name of a file can be: without NUL, and with no lone surrogates but those that stand for bytes (PEP 383)."""

SECONDS = number("Seconds.", maximum=LONGEST)


def schemas() -> Json:
    """All of them, by name."""
    playhead = {
        "position": number("Seconds from the beginning."),
        "duration": nullable(number("Seconds of the whole video.")),
        "watched": flag("Whether it has been watched."),
        "plays": whole("How often it was watched up to 90 %."),
        "updated": moment("When that was said."),
    }
    return {
        "Playhead": object_of("Where you are in a video.", playhead),
        "KeptPlayhead": object_of("A playhead that was stored.", playhead | {"status": OK}),
        "PlayheadChange": object_of(
            "Where you are.",
            {
                "position": SECONDS | {"description": "Seconds from the beginning."},
                "duration": nullable(
                    SECONDS
                    | {"description": "Seconds of the whole video; what the library knows goes first."}
                ),
                "watched": nullable(
                    flag("To mark it, which is no viewing; null leaves that to the position.")
                ),
            },
            optional=("duration", "watched"),
        ),
        "History": object_of(
            "What was watched.",
            {"viewings": listing("The last first.", ref("Viewing")), "next": NEXT, "status": OK},
        ),
        "Viewing": object_of(
            "One time that somebody watched.",
            {
                "started": moment("When it began."),
                "ended": moment("When a playhead was last written."),
                "from": number("Seconds of the video it began at."),
                "to": number("Seconds of the video it ended at."),
                "video": ref("LibraryVideo"),
            },
        ),
        "WatchState": object_of(
            "An export of playheads.",
            {
                "version": {"type": "integer", "const": EXPORT, "description": "Of this format."},
                "entries": listing("Playheads.", ref("WatchStateEntry")),
            },
        ),
        "WatchStateEntry": object_of(
            "A playhead of an export.",
            {
                "name": NAME | {"minLength": 1, "maxLength": LONGEST_NAME, "pattern": _NAME_FORM},
                "fingerprint": text("Of the bytes of the video.", pattern="^[0-9a-f]{24}$"),
                "position": SECONDS,
                "duration": nullable(SECONDS),
                "watched": flag("Whether it has been watched."),
                "plays": whole("How often it was watched.", maximum=MOST_PLAYS),
                "updated": moment(
                    "When that was said; the newer one counts. What was before 1970 counts as 1970."
                ),
            },
        ),
        "Imported": object_of(
            "What became of the entries of an export.",
            {
                "imported": whole("So many were taken."),
                "older": whole("So many were not newer than what was here."),
                "unknown": whole("So many are of videos that are not here."),
                "status": OK,
            },
        ),
    }
