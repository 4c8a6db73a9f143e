"""The shapes of the library and of its videos, as JSON Schema 2020-12."""

from trio_stream.errors import Encrypted, Unpackageable
from trio_stream.library.naming.families import LONGEST_TITLE
from trio_stream.library.records.editing import LONGEST_DESCRIPTION, LONGEST_TAG, MOST_TAGS
from trio_stream.packaging.presentation import REASONS
from trio_stream.web.openapi import facts, watch_state
from trio_stream.web.openapi.facts import LANGUAGE
from trio_stream.web.openapi.parts import (
    ID_FORM,
    MADE,
    NAME,
    NEXT,
    OK,
    PATH,
    REVISION,
    SAMPLE_ID,
    Json,
    a_state,
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

VIDEO_ID = text("The id of a video, which stays with it.", pattern=ID_FORM, examples=[SAMPLE_ID])

KIND = a_state("Pictures or sound.", "video", "audio")
TRACK = whole("The number of the track in the file, as the name of a rendition has it.")
LABEL = nullable(text("What the file calls it."))
REFUSALS = (Unpackageable.code, Encrypted.code)

WORDS = r"^[^\u0000\uD800-\uDFFF]*$"
"""Text that any database takes: without NUL and lone surrogates."""

GRID = {
    "interval": whole("Seconds between two tiles."),
    "count": whole("Tiles there are."),
    "width": whole("Pixels of a tile."),
    "height": whole("Pixels of a tile."),
    "columns": whole("Tiles beside each other on a sheet."),
    "rows": whole("Rows of tiles on a sheet at most."),
}


def video() -> Json:
    """What is known of a file by its name and its state."""
    return {
        "name": NAME,
        "size": whole("Bytes."),
        "modified": moment("When the file last changed."),
        "content_type": text("Its media type, judged by its suffix.", examples=["video/mp4"]),
    }


def urls() -> Json:
    """Where to get it by its name."""
    return {
        "stream": PATH | {"description": "Its bytes over HTTP."},
        "download": PATH | {"description": "The same, to be saved rather than shown."},
        "websocket": PATH | {"description": "Its bytes over WebSocket."},
    }


def schemas() -> Json:
    """All of them, by name."""
    return _lists() | _details() | facts.schemas() | watch_state.schemas() | _library()


def _item() -> Json:
    by_id = {
        "self": PATH | {"description": "All that is known of it."},
        "file": PATH | {"description": "Its bytes by its id: the same address when the file is renamed."},
        "hls": PATH
        | {"description": "Its master playlist. What cannot be sent in segments answers 422 there."},
        "dash": PATH | {"description": "Its manifest of MPEG-DASH, likewise."},
    }
    return video() | {
        "urls": object_of("Where to get it, ready to use.", urls() | by_id),
        "id": VIDEO_ID,
        "title": text("What to call it: what somebody said, or the name of the file."),
        "revision": text("Another one when its bytes are; the word in its entity-tag.", examples=[REVISION]),
        "added": moment("When it was found."),
        "state": a_state("Whether anybody has looked into it.", "new", "probed", "unreadable"),
        "reason": nullable(text("Why it cannot be read; of what can, what is missing of it.")),
        "duration": nullable(number("Seconds.")),
        "width": nullable(whole("Pixels.")),
        "height": nullable(whole("Pixels.")),
        "poster": nullable(PATH | {"description": "A picture of it, good for ever."}),
        "blurhash": nullable(text("A few words for a blur of the poster, see blurha.sh.")),
        "playhead": nullable(
            ref("Playhead") | {"description": "Where you stopped; null if you never began."}
        ),
    }


def _lists() -> Json:
    names = listing("Their names, in the same order.", NAME)
    items = listing("Videos.", ref("LibraryVideo"))
    return {
        "VideoPage": object_of(
            "A page of the library.", {"videos": names, "items": items, "next": NEXT, "status": OK}
        ),
        "VideoList": object_of("Some videos.", {"videos": names, "items": items, "status": OK}),
        "LibraryVideo": object_of("A video as the library knows it.", _item()),
        "Folders": object_of(
            "Folders in natural order.",
            {"folders": listing("Folders.", ref("Folder")), "next": NEXT, "status": OK},
        ),
        "Folder": object_of(
            "A folder of videos.",
            {
                "name": NAME,
                "title": text("The last part of its name."),
                "videos": whole("How many titles are right in it."),
            },
        ),
    }


def _details() -> Json:
    made = a_state("How far it is.", "waiting", "made", "failed", "none")
    return {
        "VideoDetails": object_of(
            "All that is known of a video.",
            _item()
            | {
                "description": text("What somebody said of it."),
                "tags": listing("What somebody said of it.", {"type": "string"}),
                "facts": nullable(
                    ref("Facts") | {"description": "What is in the file; null until it is known."}
                ),
                "subtitles": listing("Files beside it, then tracks inside it.", ref("Subtitle")),
                "thumbnails": nullable(ref("Thumbnails") | {"description": "Previews, if there are any."}),
                "artwork": object_of(
                    "Whether its pictures have been made.",
                    {"state": made, "reason": nullable(text("Why there are none, or not all."))},
                ),
                "versions": listing(
                    "The files of its title, itself with them, the one that leads first; none if it is alone.",
                    ref("Version"),
                ),
                "previous": nullable(
                    ref("Neighbour") | {"description": "The title before it in its folder."}
                ),
                "next": nullable(ref("Neighbour") | {"description": "The title behind it in its folder."}),
                "status": OK,
            },
        ),
        "VideoChange": object_of(
            "What to change of a video, at least one of it.",
            {
                "title": nullable(
                    text(
                        "What to call it; null or nothing gives it back the name of its file.",
                        maxLength=LONGEST_TITLE,
                        pattern=WORDS,
                    )
                ),
                "description": text("Anything.", maxLength=LONGEST_DESCRIPTION, pattern=WORDS),
                "tags": listing(
                    "Words to find it by.",
                    {"type": "string", "maxLength": LONGEST_TAG, "pattern": WORDS},
                    maxItems=MOST_TAGS,
                ),
            },
            optional=("title", "description", "tags"),
        )
        | {"minProperties": 1},
        "Version": object_of(
            "A file with the same film.",
            {
                "id": VIDEO_ID,
                "name": NAME,
                "size": whole("Bytes."),
                "width": nullable(whole("Pixels.")),
                "height": nullable(whole("Pixels; as its name says until somebody has looked into it.")),
                "leads": flag("Whether it is the one in the lists, which stands for all of them."),
            },
        ),
        "Neighbour": object_of(
            "A video beside another one.",
            {"id": VIDEO_ID, "title": text("What to call it."), "name": NAME},
        ),
        "Thumbnails": object_of(
            "Preview tiles on sheets. Tile n is of the time from n * `interval` on.",
            {
                "track": PATH | {"description": "A WebVTT track that names sheet and place of each tile."},
                "sheets": listing("Pictures with the tiles on them, row by row.", PATH),
            }
            | GRID,
        ),
        "Presentation": object_of(
            "What a file offers in segments, and what not.",
            {
                "duration": nullable(number("Seconds; null where nothing is offered.")),
                "reason": nullable(text("Why nothing is offered; null where something is.")),
                "code": nullable(a_state("The same for programs.", *REFUSALS)),
                "renditions": listing("The tracks that playlists offer, pictures first.", ref("Rendition")),
                "omitted": listing("The tracks that they leave out.", ref("OmittedTrack")),
            },
        ),
        "Rendition": object_of(
            "A track that is offered in segments.",
            {
                "kind": KIND,
                "name": text("Its name in playlists and addresses.", examples=["v1"]),
                "track": TRACK,
                "codec": text("As browsers know it (RFC 6381).", examples=["avc1.64001f"]),
                "language": LANGUAGE,
                "label": LABEL,
                "default": flag("Whether it is the one of its kind to begin with."),
            },
        ),
        "OmittedTrack": object_of(
            "A track that is not offered in segments.",
            {
                "kind": KIND,
                "track": TRACK,
                "codec": text("What the file calls its coding.", examples=["mjpeg", "ac-3"]),
                "language": LANGUAGE,
                "label": LABEL,
                "reason": text("Why, in a sentence for people."),
                "code": a_state(
                    "Why, for programs: its codec is not packaged; it is encrypted; it belongs to another programme; "
                    "other pictures are played; or else.",
                    *REASONS,
                ),
            },
        ),
        "Subtitle": object_of(
            "Subtitles of a video.",
            {
                "language": LANGUAGE,
                "label": text("What the file calls them beside their language and kind; often nothing."),
                "codec": text("What they are in the file.", examples=["subrip", "srt", "ass"]),
                "forced": flag("For what is foreign in the film only."),
                "hearing_impaired": flag("With sounds described."),
                "default": flag("To be shown unless somebody chooses others."),
                "track": nullable(whole("The number of the track inside the video.")),
                "name": nullable(NAME | {"description": "The file beside the video."}),
                "state": a_state("Whether they can be shown.", "waiting", "made", "failed"),
                "reason": nullable(text("Why they cannot be shown.")),
                "url": nullable(PATH | {"description": f"WebVTT: `subtitle-{MADE}.vtt`."}),
                "original": nullable(PATH | {"description": "As ASS, where they were that."}),
            },
        ),
    }


def _library() -> Json:
    progress = {
        "look": ref("Look"),
        "last_full": ref("Look"),
        "watching": ref("Watching"),
        "keeping": ref("Keeping"),
        "idle": flag("Whether nothing is being done."),
    }
    return {
        "Library": object_of(
            "The library as a whole.",
            {
                "videos": whole("Titles there are: films with several files count once."),
                "missing": whole("Videos whose files are gone; they are known again if they come back."),
                "folders": whole("Folders there are, the library itself among them."),
                "folder": text(
                    "Where the videos are on the server's machine, for people: a byte that is no text is U+FFFD.",
                    examples=["/srv/videos"],
                ),
            }
            | progress
            | {
                "problems": listing(
                    "Title files that cannot be followed, the first of them.", ref("TitleProblem")
                )
            }
            | {"status": OK},
        ),
        "TitleProblem": object_of(
            "A title file that cannot be followed, or not wholly.",
            {"name": NAME, "reason": text("What is wrong with it.")},
        ),
        "Progress": object_of("The data of a `progress` event.", progress),
        "Look": object_of(
            "A look at the folder. `look` is the last one or the one under way; `last_full` is the last one at "
            "everything that is over, with the number 0 before the first.",
            {
                "number": whole("Counted since the start."),
                "full": flag("Whether it is at everything, or only at what changed."),
                "running": flag("Whether it is under way."),
                "started": nullable(moment("When it began.")),
                "ended": nullable(moment("When it was over.")),
                "folders": whole("Folders looked into."),
                "videos": whole("Videos seen."),
                "added": whole("Videos that are new."),
                "changed": whole("Videos with other bytes."),
                "moved": whole("Videos with another name."),
                "returned": whole("Videos that were gone and came back."),
                "missing": whole("Videos that are gone."),
                "resting": whole("Files that are still being written to."),
                "unread": listing("Folders that could not be read, the first of them.", NAME),
            },
        ),
        "Watching": object_of(
            "Whether changes in the folder are heard of as they happen.",
            {"on": flag("Whether they are."), "reason": nullable(text("Why not."))},
        ),
        "Keeping": object_of(
            "What is still to be made of the videos.",
            {
                "to_probe": whole("Videos to look into."),
                "to_draw": whole("Videos without pictures yet."),
                "to_extract": whole("Videos and files whose subtitles are to be extracted."),
                "unreadable": whole("Videos that cannot be read."),
                "working": flag("Whether any of it is being made now."),
            },
        ),
        "ScanAsked": object_of(
            "A look will be had.", {"look": whole("The number it will have."), "status": OK}
        ),
    }
