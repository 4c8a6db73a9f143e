"""The description of playlists, manifests and segments."""

from trio_stream.http.representation import ASK_FIRST, FOR_EVER
from trio_stream.library.background.derived import SUFFIXES
from trio_stream.packaging import dash, hls
from trio_stream.packaging.cutting import in_address
from trio_stream.web.api.presentation import MEDIA_TYPE as JSON
from trio_stream.web.openapi.binary import Thing, bytes_operation
from trio_stream.web.openapi.parts import ID, MADE, REVISION, Json, body, header, parameter, ref

PLAYLIST = r"""\ `master` is the playlist of all renditions; the media playlists it names lie beside it. The
`versions` of a title are renditions of it where their keyframes agree with those of the video that is asked for.\ """

SEGMENT = r"""\ `init.mp4` is the init segment of the rendition, `N.m4s` a segment (counted from 0), `kN.m4s` a
keyframe by itself. Take the addresses from a playlist: each stands for these bytes and no others, and answers 404
once the video has other bytes, or segments are made by other rules.\ """

REFUSED = "It cannot be sent in segments as it is; the detail says why."
FULL = "All places are taken, too many files are open, or whoever looks into files is not there now; ask again later."

_ASK = header("A copy may be kept, and has to be checked.", ASK_FIRST)
_KEEP = header("A copy is good for ever.", FOR_EVER)
_REVISION = parameter(
    "revision",
    "path",
    {"type": "string"},
    "The revision of the video, as playlists have it.",
    example=REVISION,
)
_PLAYLIST = Thing(
    "playlist", body(hls.MEDIA_TYPE), "master.m3u8", _ASK, 2718, FULL, name="master", refused=REFUSED
)
_MANIFEST = Thing("manifest", body(dash.MEDIA_TYPE), "manifest.mpd", _ASK, 3141, FULL, refused=REFUSED)
_SEGMENT = Thing("segment", body("video/mp4"), "0.m4s", _KEEP, 1618033, FULL, name="0.m4s", refused=REFUSED)
_TEXT = Thing("segment", body(SUFFIXES["vtt"]), "0.vtt", _KEEP, 577, FULL, name="0", refused=REFUSED)


_PRESENTATION = Thing(
    "description",
    body(JSON, ref("Presentation")),
    "presentation.json",
    _ASK,
    512,
    FULL,
)

PRESENTATION = r"""\ The tracks of this file that its playlists offer (`renditions`), and those that they leave out
(`omitted`), each with the reason: no track of pictures or sound is in neither. A file that cannot be sent in segments
at all is answered with 200, too: `reason` says why, and there are no renditions. It is found out as for a playlist, so
the first time it may take as long.\ """


def packaged() -> Json:
    """The routes of HLS and DASH."""
    name = parameter(
        "name", "path", {"type": "string"}, "`master`, or as the master playlist says.", example="master"
    )
    rendition = parameter(
        "rendition",
        "path",
        {"type": "string"},
        "The rendition and the number of the rules by which it is cut, as playlists have them.",
        example=in_address("v1"),
    )
    text = parameter(
        "text",
        "path",
        {"type": "string"},
        "The track of subtitles, likewise.",
        example=in_address(f"s-{MADE}"),
    )
    file = parameter("name", "path", {"type": "string"}, "Which segment.", example="0.m4s")
    number = parameter("name", "path", {"type": "string"}, "The number of the segment.", example="0")
    return (
        _route(
            "playlist", "/api/videos/{id}/{name}.m3u8", "A playlist of HLS", [ID, name], _PLAYLIST, PLAYLIST
        )
        | _route(
            "manifest", "/api/videos/{id}/manifest.mpd", "The manifest of DASH", [ID], _MANIFEST, PLAYLIST
        )
        | _route(
            "presentation",
            "/api/videos/{id}/presentation",
            "What a video offers in segments, and what not and why",
            [ID],
            _PRESENTATION,
            PRESENTATION,
        )
        | _route(
            "segment",
            "/api/videos/{id}/r/{revision}/{rendition}/{name}",
            "A segment",
            [ID, _REVISION, rendition, file],
            _SEGMENT,
            SEGMENT,
        )
        | _route(
            "textSegment",
            "/api/videos/{id}/r/{revision}/{text}/{name}.vtt",
            "A segment of subtitles",
            [ID, _REVISION, text, number],
            _TEXT,
            "The cues that are shown in the time of a segment.",
        )
    )


def _route(id_: str, path: str, summary: str, parameters: list[Json], thing: Thing, about: str) -> Json:
    return {
        path: {
            "parameters": parameters,
            "get": bytes_operation(id_, summary, path, thing, with_body=True) | {"description": about},
            "head": bytes_operation(f"{id_}Head", "The headers alone", path, thing, with_body=False),
        }
    }
