"""Videos: files in the folder, videos of the library, and the details of one."""

from typing import Annotated, Literal

from msgspec import field

from trio_stream.web.api.wire.media_info import Forced, HearingImpaired, MediaInfo
from trio_stream.web.api.wire.parts import (
    DIGEST,
    REVISION,
    DateTime,
    Language,
    Name,
    Next,
    Number,
    Ok,
    Shape,
    Url,
    VideoId,
    Whole,
    says,
)

DETAILED = 100
"""The number of videos with details in a list of names."""

LONGEST_LIST = 10_000
"""Names in a list; `next` leads to the page of the library that continues after the last one."""

type Watched = Annotated[bool, says("Whether it has been watched.")]


class VideoUrls(Shape, frozen=True, kw_only=True):
    """Complete addresses: percent-encoded, relative to the server."""

    stream: Annotated[Url, says("Its bytes over HTTP.")]
    download: Annotated[Url, says("The same, as a download.")]
    websocket: Annotated[Url, says("Its bytes over WebSocket.")]


class LibraryVideoUrls(VideoUrls, frozen=True, kw_only=True):
    """Complete addresses: percent-encoded, relative to the server."""

    details: Annotated[Url, says("All its details.")] = field(name="self")
    file: Annotated[Url, says("Its bytes by its id: the address stays the same when the file is renamed.")]
    hls: Annotated[Url, says("Its HLS master playlist. Returns 422 if the video cannot be sent in segments.")]
    dash: Annotated[Url, says("Its MPEG-DASH manifest. Returns 422 in the same case.")]


class FileInFolder(Shape, frozen=True, kw_only=True):
    """The name, size and modification time of a file."""

    name: Name
    size: Annotated[Whole, says("Bytes.")]
    modified: Annotated[DateTime, says("When the file last changed.")]
    content_type: Annotated[str, says("Its media type, according to its suffix.", "video/mp4")]


class Video(FileInFolder, frozen=True, kw_only=True):
    """A video in the folder."""

    urls: VideoUrls


class Videos(Shape, frozen=True, kw_only=True):
    """The library."""

    videos: Annotated[list[Name], says("The names, in natural order.", max_length=LONGEST_LIST)]
    items: Annotated[list[Video], says(f"The details of the first {DETAILED}.", max_length=DETAILED)]
    next: Annotated[
        str | None,
        says(f"If there are more than {LONGEST_LIST:,} names, the cursor of the page that continues."),
    ]
    status: Ok = "ok"


class Playhead(Shape, frozen=True, kw_only=True):
    """How far you have watched a video."""

    position: Annotated[Number, says("Seconds from the beginning.")]
    duration: Annotated[Number | None, says("The duration of the video in seconds.")]
    watched: Watched
    plays: Annotated[Whole, says("How often it was watched up to 90%.")]
    updated: Annotated[DateTime, says("When it was last stored.")]


class LibraryVideo(FileInFolder, frozen=True, kw_only=True):
    """A video of the library."""

    urls: LibraryVideoUrls
    id: VideoId
    title: Annotated[str, says("The title that was set, or the name of the file.")]
    revision: Annotated[str, says("Changes with its bytes; also the value of its entity-tag.", REVISION)]
    added: Annotated[DateTime, says("When it was found.")]
    state: Annotated[Literal["new", "probed", "unreadable"], says("Whether the file has been probed.")]
    reason: Annotated[str | None, says("Why it cannot be read; or what is missing, if it can.")]
    duration: Annotated[Number | None, says("Seconds.")]
    width: Annotated[Whole | None, says("Pixels.")]
    height: Annotated[Whole | None, says("Pixels.")]
    poster: Annotated[Url | None, says("The poster. The content of the address never changes.")]
    blurhash: Annotated[str | None, says("A blurred version of the poster as a short text, see blurha.sh.")]
    playhead: Annotated[Playhead | None, says("Your playhead; null if you never started the video.")]


class VideoList(Shape, frozen=True, kw_only=True):
    """A list of videos."""

    videos: Annotated[list[Name], says("Their names, in the same order.")]
    items: Annotated[list[LibraryVideo], says("Videos.")]
    status: Ok = "ok"


class VideoPage(VideoList, frozen=True, kw_only=True):
    """A page of the library."""

    next: Next


class Folder(Shape, frozen=True, kw_only=True):
    """A folder of videos."""

    name: Name
    title: Annotated[str, says("The last part of its path.")]
    videos: Annotated[Whole, says("The number of titles directly in it.")]


class Folders(Shape, frozen=True, kw_only=True):
    """Folders in natural order."""

    folders: Annotated[list[Folder], says("Folders.")]
    next: Next
    status: Ok = "ok"


class Subtitle(Shape, frozen=True, kw_only=True):
    """Subtitles of a video."""

    language: Language
    label: Annotated[str, says("The name in the file, in addition to language and kind; often empty.")]
    codec: Annotated[str, says("The format in the file.", "subrip", "srt", "ass")]
    forced: Forced
    hearing_impaired: HearingImpaired
    default: Annotated[bool, says("Whether to show them unless the viewer chooses others.")]
    track: Annotated[Whole | None, says("The number of the track inside the video.")]
    name: Annotated[
        Name | None,
        says(
            "The file next to the video: a path below the folder of videos, with `/` between folders. Bytes that are "
            "not UTF-8 are lone surrogates."
        ),
    ]
    state: Annotated[Literal["waiting", "made", "failed"], says("Whether they have been extracted.")]
    reason: Annotated[str | None, says("Why they cannot be shown.")]
    url: Annotated[Url | None, says(f"The subtitles as WebVTT: `subtitle-{DIGEST}.vtt`.")]
    original: Annotated[Url | None, says("The original, if it is ASS.")]


class Thumbnails(Shape, frozen=True, kw_only=True):
    """Thumbnails on trickplay sheets. Thumbnail n is for the time from n * `interval` seconds."""

    track: Annotated[Url, says("A WebVTT track with the sheet and the position of each thumbnail.")]
    sheets: Annotated[list[Url], says("The trickplay sheets, with thumbnails row by row.")]
    interval: Annotated[Whole, says("Seconds between two thumbnails.")]
    count: Annotated[Whole, says("The number of thumbnails.")]
    width: Annotated[Whole, says("The width of a thumbnail in pixels.")]
    height: Annotated[Whole, says("The height of a thumbnail in pixels.")]
    columns: Annotated[Whole, says("Thumbnails in a row of a sheet.")]
    rows: Annotated[Whole, says("Maximum rows of a sheet.")]


class Artwork(Shape, frozen=True, kw_only=True):
    """The state of the artwork."""

    state: Annotated[Literal["waiting", "made", "failed", "none"], says("Whether it has been generated.")]
    reason: Annotated[str | None, says("Why there is none, or not all.")]


class Version(Shape, frozen=True, kw_only=True):
    """A file of the same title."""

    id: VideoId
    name: Name
    size: Annotated[Whole, says("Bytes.")]
    width: Annotated[Whole | None, says("Pixels.")]
    height: Annotated[Whole | None, says("Pixels; taken from its name until the file has been probed.")]
    leads: Annotated[bool, says("Whether it is the one that represents the title in lists.")]


class Neighbour(Shape, frozen=True, kw_only=True):
    """The previous or next title in a folder."""

    id: VideoId
    title: Annotated[str, says("Its title.")]
    name: Name


class VideoDetails(LibraryVideo, frozen=True, kw_only=True):
    """All details of a video."""

    description: Annotated[str, says("The description that was set.")]
    tags: Annotated[list[str], says("The tags that were set.")]
    facts: Annotated[MediaInfo | None, says("The media info of the file; null until it has been probed.")]
    subtitles: Annotated[list[Subtitle], says("Subtitle files next to it, then subtitle tracks inside it.")]
    thumbnails: Annotated[Thumbnails | None, says("The thumbnails, if there are any.")]
    artwork: Annotated[Artwork, says("The state of its artwork.")]
    versions: Annotated[
        list[Version],
        says("The files of its title, including itself, the leading one first; empty if it is the only one."),
    ]
    previous: Annotated[Neighbour | None, says("The title before it in its folder.")]
    next: Annotated[Neighbour | None, says("The title after it in its folder.")]
    status: Ok = "ok"
