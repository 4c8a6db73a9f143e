"""Videos: as they are in the folder, as the library knows them, and all that is known of one; what is said of one."""

from typing import Annotated, Literal

from msgspec import field

from trio_stream.web.api.wire.media_info import Forced, HearingImpaired, MediaInfo
from trio_stream.web.api.wire.parts import (
    MADE,
    REVISION,
    Language,
    Moment,
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
"""So many videos are described in a list of names."""

LONGEST_LIST = 10_000
"""Names in a list; `next` leads to the page of the library that goes on behind the last one."""

type Watched = Annotated[bool, says("Whether it has been watched.")]


class VideoUrls(Shape, frozen=True, kw_only=True):
    """Where to get it, ready to use: percent-encoded, relative to the server."""

    stream: Annotated[Url, says("Its bytes over HTTP.")]
    download: Annotated[Url, says("The same, to be saved rather than shown.")]
    websocket: Annotated[Url, says("Its bytes over WebSocket.")]


class LibraryVideoUrls(VideoUrls, frozen=True, kw_only=True):
    """Where to get it, ready to use: percent-encoded, relative to the server."""

    here: Annotated[Url, says("All that is known of it.")] = field(name="self")
    file: Annotated[Url, says("Its bytes by its id: the same address when the file is renamed.")]
    hls: Annotated[Url, says("Its master playlist. What cannot be sent in segments answers 422 there.")]
    dash: Annotated[Url, says("Its manifest of MPEG-DASH, likewise.")]


class FileInFolder(Shape, frozen=True, kw_only=True):
    """What is known of a file by its name and its state."""

    name: Name
    size: Annotated[Whole, says("Bytes.")]
    modified: Annotated[Moment, says("When the file last changed.")]
    content_type: Annotated[str, says("Its media type, judged by its suffix.", "video/mp4")]


class Video(FileInFolder, frozen=True, kw_only=True):
    """One video, as it is in the folder."""

    urls: VideoUrls


class Videos(Shape, frozen=True, kw_only=True):
    """The library."""

    videos: Annotated[list[Name], says("The names, in natural order.", max_length=LONGEST_LIST)]
    items: Annotated[list[Video], says(f"The first {DETAILED} of them in detail.", max_length=DETAILED)]
    next: Annotated[
        str | None,
        says(f"The cursor of the page that goes on where there are more than {LONGEST_LIST:,} names."),
    ]
    status: Ok = "ok"


class Playhead(Shape, frozen=True, kw_only=True):
    """Where you are in a video."""

    position: Annotated[Number, says("Seconds from the beginning.")]
    duration: Annotated[Number | None, says("Seconds of the whole video.")]
    watched: Watched
    plays: Annotated[Whole, says("How often it was watched up to 90 %.")]
    updated: Annotated[Moment, says("When that was said.")]


class LibraryVideo(FileInFolder, frozen=True, kw_only=True):
    """A video as the library knows it."""

    urls: LibraryVideoUrls
    id: VideoId
    title: Annotated[str, says("What to call it: what somebody said, or the name of the file.")]
    revision: Annotated[str, says("Another one when its bytes are; the word in its entity-tag.", REVISION)]
    added: Annotated[Moment, says("When it was found.")]
    state: Annotated[Literal["new", "probed", "unreadable"], says("Whether anybody has looked into it.")]
    reason: Annotated[str | None, says("Why it cannot be read; of what can, what is missing of it.")]
    duration: Annotated[Number | None, says("Seconds.")]
    width: Annotated[Whole | None, says("Pixels.")]
    height: Annotated[Whole | None, says("Pixels.")]
    poster: Annotated[Url | None, says("A picture of it, good for ever.")]
    blurhash: Annotated[str | None, says("A few words for a blur of the poster, see blurha.sh.")]
    playhead: Annotated[Playhead | None, says("Where you stopped; null if you never began.")]


class VideoList(Shape, frozen=True, kw_only=True):
    """Some videos."""

    videos: Annotated[list[Name], says("Their names, in the same order.")]
    items: Annotated[list[LibraryVideo], says("Videos.")]
    status: Ok = "ok"


class VideoPage(VideoList, frozen=True, kw_only=True):
    """A page of the library."""

    next: Next


class Folder(Shape, frozen=True, kw_only=True):
    """A folder of videos."""

    name: Name
    title: Annotated[str, says("The last part of its name.")]
    videos: Annotated[Whole, says("How many titles are right in it.")]


class Folders(Shape, frozen=True, kw_only=True):
    """Folders in natural order."""

    folders: Annotated[list[Folder], says("Folders.")]
    next: Next
    status: Ok = "ok"


class Subtitle(Shape, frozen=True, kw_only=True):
    """Subtitles of a video."""

    language: Language
    label: Annotated[str, says("What the file calls them beside their language and kind; often nothing.")]
    codec: Annotated[str, says("What they are in the file.", "subrip", "srt", "ass")]
    forced: Forced
    hearing_impaired: HearingImpaired
    default: Annotated[bool, says("To be shown unless somebody chooses others.")]
    track: Annotated[Whole | None, says("The number of the track inside the video.")]
    name: Annotated[
        Name | None,
        says(
            "The file beside the video: a path below the folder of videos, with `/` between folders. Bytes that are no "
            "UTF-8 are lone surrogates."
        ),
    ]
    state: Annotated[Literal["waiting", "made", "failed"], says("Whether they can be shown.")]
    reason: Annotated[str | None, says("Why they cannot be shown.")]
    url: Annotated[Url | None, says(f"WebVTT: `subtitle-{MADE}.vtt`.")]
    original: Annotated[Url | None, says("As ASS, where they were that.")]


class Thumbnails(Shape, frozen=True, kw_only=True):
    """Preview tiles on sheets. Tile n is of the time from n * `interval` on."""

    track: Annotated[Url, says("A WebVTT track that names sheet and place of each tile.")]
    sheets: Annotated[list[Url], says("Pictures with the tiles on them, row by row.")]
    interval: Annotated[Whole, says("Seconds between two tiles.")]
    count: Annotated[Whole, says("Tiles there are.")]
    width: Annotated[Whole, says("Pixels of a tile.")]
    height: Annotated[Whole, says("Pixels of a tile.")]
    columns: Annotated[Whole, says("Tiles beside each other on a sheet.")]
    rows: Annotated[Whole, says("Rows of tiles on a sheet at most.")]


class Artwork(Shape, frozen=True, kw_only=True):
    """Whether its pictures have been made."""

    state: Annotated[Literal["waiting", "made", "failed", "none"], says("How far it is.")]
    reason: Annotated[str | None, says("Why there are none, or not all.")]


class Version(Shape, frozen=True, kw_only=True):
    """A file with the same film."""

    id: VideoId
    name: Name
    size: Annotated[Whole, says("Bytes.")]
    width: Annotated[Whole | None, says("Pixels.")]
    height: Annotated[Whole | None, says("Pixels; as its name says until somebody has looked into it.")]
    leads: Annotated[bool, says("Whether it is the one in the lists, which stands for all of them.")]


class Neighbour(Shape, frozen=True, kw_only=True):
    """A video beside another one."""

    id: VideoId
    title: Annotated[str, says("What to call it.")]
    name: Name


class VideoDetails(LibraryVideo, frozen=True, kw_only=True):
    """All that is known of a video."""

    description: Annotated[str, says("What somebody said of it.")]
    tags: Annotated[list[str], says("What somebody said of it.")]
    facts: Annotated[MediaInfo | None, says("What is in the file; null until it is known.")]
    subtitles: Annotated[list[Subtitle], says("Files beside it, then tracks inside it.")]
    thumbnails: Annotated[Thumbnails | None, says("Previews, if there are any.")]
    artwork: Annotated[Artwork, says("Whether its pictures have been made.")]
    versions: Annotated[
        list[Version],
        says("The files of its title, itself with them, the one that leads first; none if it is alone."),
    ]
    previous: Annotated[Neighbour | None, says("The title before it in its folder.")]
    next: Annotated[Neighbour | None, says("The title behind it in its folder.")]
    status: Ok = "ok"
