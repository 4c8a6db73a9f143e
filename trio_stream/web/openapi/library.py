"""The description of the library and of what was watched, as JSON answers; what answers with bytes is elsewhere."""

from trio_stream.library.records.pages import LARGEST_PAGE, LONGEST_QUERY, SORTS
from trio_stream.web.api.videos import LONGEST_LIST
from trio_stream.web.asgi.events import PING
from trio_stream.web.openapi.parts import (
    AGAIN,
    CURSOR,
    EXAMPLE,
    FOREIGN,
    ID,
    NAME,
    SAMPLE_ID,
    Json,
    body,
    events_answer,
    json_answer,
    json_body,
    operation,
    parameter,
    problem_answer,
    ref,
    text,
    whole,
)

VIDEO = f"/api/videos/{SAMPLE_ID}"

JSON = "-H 'Content-Type: application/json'"

UNKNOWN = problem_answer("There is no such video.")
BUSY = problem_answer("The database cannot be used now; ask again later.", AGAIN)
UNREACHED = problem_answer("The process that writes, or its database, is not there now; ask again.", AGAIN)
TOO_LARGE: Json = {"description": "The body is larger than what is taken here."}
FULL = problem_answer("There is no room left for the database.", AGAIN)

LIMIT = parameter(
    "limit",
    "query",
    whole("How many.", minimum=1, maximum=LARGEST_PAGE, default=50),
    f"How many are on a page, up to {LARGEST_PAGE}.",
    example=50,
)


def library() -> Json:
    """The routes of the videos and of what is done for them."""
    return (
        {
            "/api/videos": {"get": _listing()},
            "/api/videos/{id}": {"parameters": [ID], "get": _details(), "patch": _editing()},
            "/api/folders": {"get": _folders()},
        }
        | {"/api/library": {"get": _summary()}}
        | {"/api/library/scan": {"get": _following(), "post": _scanning()}}
    )


def watching() -> Json:
    """The routes of where people stopped and what they have seen."""
    return {
        "/api/videos/{id}/playhead": {"parameters": [ID], "put": _putting(), "delete": _forgetting()},
        "/api/continue": {"get": _going_on()},
        "/api/history": {"get": _history(), "delete": _forgetting_history()},
        "/api/watch-state": {"get": _exporting(), "put": _importing()},
    }


def _cursor(about: str) -> Json:
    return parameter(
        "cursor",
        "query",
        CURSOR,
        f"`next` of the page before, for the next {about}. No other is understood.",
    )


def _changes(responses: Json, *, of: str | None = None) -> Json:
    """The answers of whatever changes something, besides its own."""
    return dict(
        sorted(
            (
                responses | ({"404": UNKNOWN} if of else {}) | {"403": FOREIGN, "503": UNREACHED, "507": FULL}
            ).items()
        )
    )


def _listing() -> Json:
    either = {"anyOf": [ref("Videos"), ref("VideoPage")]}
    sort = {"type": "string", "enum": [*SORTS], "default": "name"}
    order = {"type": "string", "enum": ["asc", "desc"], "default": "asc"}
    return operation(
        "listVideos",
        "Videos",
        "All videos of the library, or a page of them",
        f"curl '{EXAMPLE}/api/videos?q=bunny&sort=added&order=desc&limit=20'",
        {
            "200": {"description": "The library.", "content": body("application/json", either)},
            "400": problem_answer("No such sort, order, limit or cursor; the detail says what there is."),
            "500": problem_answer("The folder of videos cannot be read."),
            "503": problem_answer(
                "Too many files are open, or the videos or the database are away.",
                AGAIN,
            ),
        },
        description="Without parameters it is the names and the first items, as the folder is at that moment, "
        "without ids. Files are recognised by their suffix; hidden files are left out. Where there are more than "
        f"{LONGEST_LIST:,} names, `next` is the cursor of the page that goes on behind the last one."
        "\n\nWith any of these parameters it is a page of what the library knows, where a new file is found once it "
        "has rested for two seconds. A film with several files is in it once: files of one folder whose names differ "
        "only in a size (`Film.1080p.mp4`, `Film.720p.mp4`), or those that a title file beside them names "
        "(`Film.title.toml`). The others are the `versions` of that one.",
        parameters=[
            LIMIT,
            _cursor("page in the same order"),
            parameter(
                "q",
                "query",
                text("What to find.", examples=["amelie 2001"]),
                "Words of which each has to begin a word of the title, of the path or of a tag; capital letters and "
                f"diacritics do not matter. {LONGEST_QUERY} characters count.",
                example="amelie 2001",
            ),
            parameter(
                "folder", "query", NAME, "Only what is right in this folder; empty for the library itself."
            ),
            parameter("sort", "query", sort, "What they are sorted by; `name` and `title` in natural order."),
            parameter("order", "query", order, "`desc` for the last ones first."),
        ],
    )


def _details() -> Json:
    return operation(
        "showVideo",
        "Videos",
        "All that is known of a video",
        f"curl {EXAMPLE}{VIDEO}",
        {"200": json_answer("The video.", "VideoDetails"), "404": UNKNOWN, "503": BUSY},
    )


def _editing() -> Json:
    return operation(
        "editVideo",
        "Videos",
        "Change title, description or tags",
        f'curl -X PATCH {EXAMPLE}{VIDEO} {JSON} -d \'{{"title": "Big Buck Bunny"}}\'',
        _changes(
            {
                "200": json_answer("The video as it is now.", "VideoDetails"),
                "400": problem_answer("The detail says what would have a meaning; nothing was changed."),
                "413": TOO_LARGE,
            },
            of="video",
        ),
        description="What is left out stays as it is. It stays with the video when its file is renamed; nothing is "
        "written into the file.",
        requestBody=json_body("What to change.", "VideoChange"),
    )


def _folders() -> Json:
    return operation(
        "listFolders",
        "Videos",
        "The folders in a folder",
        f"curl '{EXAMPLE}/api/folders?in=Films'",
        {
            "200": json_answer("The folders; none in a folder that is not there.", "Folders"),
            "400": problem_answer("No such limit or cursor; the detail says what there is."),
            "503": BUSY,
        },
        parameters=[
            parameter("in", "query", NAME, "The folder; the library itself if left out.", example="Films"),
            LIMIT,
            _cursor("folders"),
        ],
    )


def _putting() -> Json:
    change = '{"position": 61.5, "duration": 634.6}'
    return operation(
        "putPlayhead",
        "Watch state",
        "Say where you are in a video",
        f"curl -X PUT {EXAMPLE}{VIDEO}/playhead {JSON} -d '{change}'",
        _changes(
            {
                "200": json_answer("The playhead, which is on the disk now.", "KeptPlayhead"),
                "400": problem_answer("That is no playhead; the detail says what would be."),
                "413": TOO_LARGE,
            },
            of="video",
        ),
        description="A video counts as watched from 90 % of it on, and stays watched until you say otherwise; each "
        "time you get there counts as a play. Every ten seconds is often enough. The versions of a title have one "
        "playhead.",
        requestBody=json_body("Where you are.", "PlayheadChange"),
    )


def _forgetting() -> Json:
    return operation(
        "deletePlayhead",
        "Watch state",
        "Let it be as if you had never begun a video",
        f"curl -X DELETE {EXAMPLE}{VIDEO}/playhead",
        _changes({"204": {"description": "It is forgotten, and its history with it."}}, of="video"),
    )


def _going_on() -> Json:
    return operation(
        "continueWatching",
        "Watch state",
        "What to go on with",
        f"curl {EXAMPLE}/api/continue",
        {
            "200": json_answer("Videos, what was watched last first.", "VideoList"),
            "400": problem_answer("No such limit; the detail says which there are."),
            "503": BUSY,
        },
        description="What was begun and not finished; in place of what was finished, the next video of its folder in "
        "natural order, unless that was begun or watched too.",
        parameters=[LIMIT],
    )


def _history() -> Json:
    return operation(
        "history",
        "Watch state",
        "What was watched when",
        f"curl {EXAMPLE}/api/history",
        {
            "200": json_answer("Viewings, the last first; of videos that are there.", "History"),
            "400": problem_answer("No such limit or cursor; the detail says what there is."),
            "503": BUSY,
        },
        description="Whoever goes on within half an hour goes on with the same viewing.",
        parameters=[LIMIT, _cursor("viewings")],
    )


def _forgetting_history() -> Json:
    return operation(
        "deleteHistory",
        "Watch state",
        "Forget what was watched when",
        f"curl -X DELETE {EXAMPLE}/api/history",
        _changes({"204": {"description": "It is forgotten; playheads stay."}}),
    )


def _exporting() -> Json:
    return operation(
        "exportWatchState",
        "Watch state",
        "All playheads, to be kept or taken elsewhere",
        f"curl -o watch-state.json {EXAMPLE}/api/watch-state",
        {"200": json_answer("The playheads.", "WatchState"), "503": BUSY},
        description="Videos go by their names and by fingerprints of their bytes, because ids are those of one server.",
    )


def _importing() -> Json:
    return operation(
        "importWatchState",
        "Watch state",
        "Take in what was exported",
        f"curl -X PUT {EXAMPLE}/api/watch-state {JSON} -d @watch-state.json",
        _changes(
            {
                "200": json_answer("What became of its entries.", "Imported"),
                "400": problem_answer("That is no export; the detail says why. Nothing was changed."),
                "413": TOO_LARGE,
            }
        ),
        description="What is here and newer stays. A video is found by its bytes, whatever it is called now, or else "
        "by its name. A megabyte is taken at once; a longer export may be cut between any two entries, and it does no "
        "harm to take one in twice.",
        requestBody=json_body("An export.", "WatchState"),
    )


def _summary() -> Json:
    return operation(
        "library",
        "Library",
        "How many videos there are, and what is being done for them",
        f"curl {EXAMPLE}/api/library",
        {"200": json_answer("The library.", "Library"), "503": UNREACHED},
    )


def _following() -> Json:
    return operation(
        "followScan",
        "Library",
        "How the work is getting on, as it happens",
        f"curl -N {EXAMPLE}/api/library/scan",
        {
            "200": events_answer(),
            "503": problem_answer(
                "The process that writes is not there now, or too many listen; ask again.", AGAIN
            ),
        },
        description="Server-sent events, until you leave or the server stops: `progress` at once and whenever "
        "something is different, whose data is `Progress` as JSON. "
        f"After {PING:.0f} seconds of silence comes a comment.",
    )


def _scanning() -> Json:
    return operation(
        "scan",
        "Library",
        "Have all videos looked at now",
        f"curl -X POST {EXAMPLE}/api/library/scan",
        {
            "202": json_answer("It will be done.", "ScanAsked"),
            "403": FOREIGN,
            "503": UNREACHED,
        },
        description="What changes in the folder is heard of by itself; this is for where it is not.",
    )
