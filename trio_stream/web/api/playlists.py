"""HLS and DASH: playlists and manifests of a video, and its segments, built from the file without transcoding.

The address of a segment contains the revision of the video and the number of the rules that segments are built by. It
returns exactly these bytes, or 404, so it can be cached forever. A segment of a file whose index is in memory needs
neither a thread nor the database."""

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

from quart import Blueprint

from trio_stream.byte_ranges import ByteRanges
from trio_stream.errors import DerivedNotFound, NotTheOwner, VideoNotFound
from trio_stream.http.bodies import Part, body_length
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import IMMUTABLE, REVALIDATE, Representation
from trio_stream.library.background.derived import SUFFIXES
from trio_stream.mp4.boxes import Malformed
from trio_stream.packaging import dash, hls, segments
from trio_stream.packaging.cutting import SCHEME, in_address
from trio_stream.packaging.presentation import Presentation, Rendition
from trio_stream.packaging.renditions import next_key, stop_of
from trio_stream.playback.indexes import Index
from trio_stream.playback.manifests import Written
from trio_stream.playback.offers import Offer
from trio_stream.playback.remuxed import Recipe, init_recipe, keyframe_recipe, segment_recipe
from trio_stream.streaming.maps import MappedFile
from trio_stream.web.api.wire.operations import CACHED_FOREVER, CACHED_IF_CURRENT, ByteOperation, declares
from trio_stream.web.api.wire.parts import DIGEST, REVISION, VideoId, says
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route, owner_fallback
from trio_stream.web.asgi.exchange import Exchange

blueprint = Blueprint("packaged", __name__)

_MANIFEST = re.compile(rb"/api/videos/([0-9a-f]{16})/([a-z0-9-]+)\.(m3u8|mpd)\Z")
_SEGMENT = re.compile(
    rb"/api/videos/([0-9a-f]{16})/r/([0-9a-f]{24})/([a-z0-9]+)-([0-9]{1,4})/(init([1-9][0-9]{0,3})?\.mp4|(k?)([0-9]{1,9})\.m4s)\Z"
)

_SUBTITLE_SEGMENT = re.compile(
    rb"/api/videos/([0-9a-f]{16})/r/([0-9a-f]{24})/(s-[0-9a-f]{32})-([0-9]{1,4})/([0-9]{1,9})\.vtt\Z"
)


REFUSED = "It cannot be sent in segments without transcoding; the detail says why."
UNAVAILABLE = (
    "The limit of streams or of open files is reached, or files cannot be processed now; try again later."
)

PLAYLIST = ByteOperation(
    id="playlist",
    summary="Get an HLS playlist",
    noun="playlist",
    content={hls.MEDIA_TYPE: ()},
    example="master.m3u8",
    caching=CACHED_IF_CURRENT,
    size=2718,
    unavailable=UNAVAILABLE,
    refused=REFUSED,
    description="`master` is the playlist of all renditions; the media playlists that it names are in the same "
    "folder. The `versions` of a title are renditions, too, if their keyframes match those of the requested video.",
    path={
        "id": VideoId,
        "name": Annotated[str, says("`master`, or a name from the master playlist.", "master")],
    },
)
MANIFEST = replace(
    PLAYLIST,
    id="manifest",
    summary="Get the DASH manifest",
    noun="manifest",
    content={dash.MEDIA_TYPE: ()},
    example="manifest.mpd",
    description="The `versions` of a title are renditions, too, if their keyframes match those of the requested video.",
    size=3141,
    path={"id": VideoId},
)
SEGMENT = ByteOperation(
    id="segment",
    summary="Get a segment",
    noun="segment",
    content={"video/mp4": ()},
    example="0.m4s",
    caching=CACHED_FOREVER,
    size=1618033,
    unavailable=UNAVAILABLE,
    refused=REFUSED,
    description="`init.mp4` is the init segment of the rendition, `N.m4s` a segment (counted from 0), `kN.m4s` a "
    "single keyframe. Take the addresses from a playlist. The content of an address never changes; it returns 404 once "
    "the video has another revision, or segments are built by other rules.",
    path={
        "id": VideoId,
        "revision": Annotated[str, says("The revision of the video, as in the playlists.", REVISION)],
        "rendition": Annotated[
            str,
            says(
                "The rendition and the number of the rules that segments are built by, as in the playlists.",
                in_address("v1"),
            ),
        ],
        "name": Annotated[str, says("The name of the segment.", "0.m4s")],
    },
)
SUBTITLE_SEGMENT = replace(
    SEGMENT,
    id="textSegment",
    summary="Get a subtitle segment",
    content={SUFFIXES["vtt"]: ()},
    example="0.vtt",
    size=577,
    description="The cues that are shown during a segment.",
    path={
        "id": VideoId,
        "revision": SEGMENT.path["revision"],
        "text": Annotated[str, says("The subtitle track, as in the playlists.", in_address(f"s-{DIGEST}"))],
        "name": Annotated[str, says("The number of the segment.", "0")],
    },
)


@byte_route(blueprint, "/api/videos/<id_>/<name>.m3u8", "/api/videos/<id_>/manifest.mpd")
@owner_fallback
@declares(PLAYLIST, MANIFEST)
async def manifest(request: DirectRequest, exchange: Exchange) -> DirectResponse:
    """An HLS playlist, or the DASH manifest."""
    match = _MANIFEST.search(request.raw_path)
    if match is None:
        raise VideoNotFound("there is no such video")
    id_, name, suffix = (part.decode() for part in match.groups())
    offers, file = exchange.services.offers, f"{name}.{suffix}"
    offer = offers.offered(id_)
    if offer is None:
        offer = await exchange.run_while_connected(partial(offers.offer, id_))
    text = exchange.services.manifests.get(offer, id_, file, partial(_manifest, offer, name, suffix))
    media_type = dash.MEDIA_TYPE if suffix == "mpd" else hls.MEDIA_TYPE
    return _send_text(request, text, media_type, file, offer.mtime_ns, REVALIDATE)


def _manifest(offer: Offer, name: str, suffix: str) -> str:
    """The text of a playlist or manifest. Raises `DerivedNotFound`."""
    if suffix == "mpd":
        return dash.manifest(offer.title)
    if name == "master":
        return hls.master(offer.title)
    own = offer.own.presentation
    folder = f"r/{offer.revision}"
    if any(track.name == name for track in offer.title.subtitles):
        return hls.subtitle_playlist(name, own, folder, offer.target_duration)
    rendition = own.find(name.removesuffix(hls.KEYS))
    if rendition is None:
        raise DerivedNotFound("there is no such playlist")
    if rendition.name == name:
        return hls.media(rendition, folder, offer.target_duration)
    if rendition.keys is None:
        raise DerivedNotFound("there is no such playlist")
    return hls.key_frames(rendition, rendition.keys, folder)


@byte_route(blueprint, "/api/videos/<id_>/r/<revision>/<rendition>/<name>")
@owner_fallback
@declares(SEGMENT)
async def segment(request: DirectRequest, exchange: Exchange) -> DirectResponse:
    """An init segment, a segment, or a single keyframe."""
    match = _SEGMENT.search(request.raw_path)
    if match is None:
        raise DerivedNotFound("there is no such segment")
    id_, revision, name, scheme, file, init, key, number = (
        part.decode() if part is not None else "" for part in match.groups()
    )
    _check(scheme)
    offers = exchange.services.offers
    video = await offers.open(id_, revision)
    source = exchange.hold(video.file, video.status)
    wanted = _SegmentName(name, int(number) if number else None, keyframe=bool(key), init=int(init or 0))
    index = offers.warm(revision)
    load_presentation = partial(offers.presentation, source.fd, revision, source.content.size)
    if index is None and not (presentation := await exchange.run_while_connected(load_presentation)).by_copy:
        source = await exchange.run_while_connected(
            partial(_hold_remuxed, exchange, source, revision, presentation, wanted)
        )
        parts: tuple[Part, ...] = (ByteRanges(((0, source.content.size),)),)
        kind = _rendition(presentation, name).kind
    else:
        index = index or await offers.index(source.fd, revision, source.content.size)
        parts = _parts(index, wanted)
        kind = _rendition(index.presentation, name).kind
    response = request.respond(
        Representation(
            size=body_length(parts),
            validators=Validators(
                etag=f'"{revision}-{in_address(name)}-{file}"', modified=video.status.st_mtime_ns // 10**9
            ),
            media_type=f"{kind}/mp4",
            filename=f"{name}-{file}",
            caching=IMMUTABLE,
            parts=parts,
        )
    )
    if not response.parts or all(isinstance(part, bytes) for part in response.parts):
        return DirectResponse.in_memory(response)
    stream = exchange.admit(source, name=video.name, transport="http")
    return DirectResponse(response.status, response.headers, stream, response.parts)


def _check(scheme: str) -> None:
    """Raise `DerivedNotFound` for segments that were built by other rules."""
    if scheme != str(SCHEME):
        raise DerivedNotFound("this segment no longer exists")


@dataclass(frozen=True, slots=True)
class _SegmentName:
    """A segment of a rendition; without a number, one of its init segments."""

    name: str
    number: int | None
    keyframe: bool
    init: int


def _rendition(presentation: Presentation, name: str) -> Rendition:
    """The rendition of that name. Raises `DerivedNotFound`."""
    rendition = presentation.find(name)
    if rendition is None:
        raise DerivedNotFound("there is no such rendition")
    return rendition


def _parts(index: Index, wanted: _SegmentName) -> tuple[Part, ...]:
    """The parts of a segment whose samples are sent unchanged from the file. Raises `DerivedNotFound`."""
    rendition, number = _rendition(index.presentation, wanted.name), wanted.number
    track = index.tracks[rendition.name]
    if number is None:
        if wanted.init >= len(track.codings):
            raise DerivedNotFound("there is no such segment")
        return (segments.init(track.coded(wanted.init)),)
    units = rendition.keys if wanted.keyframe else rendition.segments
    if units is None or number >= len(units):
        raise DerivedNotFound("there is no such segment")
    first = units.samples[number]
    stop = first + 1 if wanted.keyframe else units.samples[number + 1]
    try:
        return segments.segment(track, first, stop, number, index.size)
    except Malformed as error:
        raise DerivedNotFound(f"there is no such segment: {error}") from None


async def _hold_remuxed(
    exchange: Exchange, source: MappedFile, revision: str, presentation: Presentation, wanted: _SegmentName
) -> MappedFile:
    """The file of a remuxed segment, which the exchange holds in place of the video.

    If this process is not the owner of the data, it uses a segment that the owner has built before, or raises
    `NotTheOwner`. Also raises `DerivedNotFound`, and what `Remuxer` raises.
    """
    recipe = _recipe(revision, _rendition(presentation, wanted.name), wanted)
    services = exchange.services
    if (remuxer := services.owner.remuxer()) is not None:
        file = await remuxer.get(source.fd, recipe)
    elif (cached := await services.shared_segments.open(recipe.key)) is not None:
        file = cached
    else:
        raise NotTheOwner
    # Held here and not by the caller of `run_while_connected`, which drops the result if the request is cancelled.
    return exchange.hold(file)


def _recipe(revision: str, rendition: Rendition, wanted: _SegmentName) -> Recipe:
    """How to build a segment of a video that must be remuxed. Raises `DerivedNotFound`."""
    number = wanted.number
    if number is None:
        try:
            return init_recipe(revision, rendition, wanted.init)
        except LookupError:
            raise DerivedNotFound("there is no such segment") from None
    units = rendition.keys if wanted.keyframe else rendition.segments
    if units is None or number >= len(units):
        raise DerivedNotFound("there is no such segment")
    start = units.samples[number]
    if wanted.keyframe:
        return keyframe_recipe(revision, rendition, number, start, next_key(rendition, number))
    stop, until = stop_of(rendition, number)
    return segment_recipe(revision, rendition, number, start, stop, until=until)


@byte_route(blueprint, "/api/videos/<id_>/r/<revision>/<text>/<name>.vtt")
@owner_fallback
@declares(SUBTITLE_SEGMENT)
async def subtitle_segment(request: DirectRequest, exchange: Exchange) -> DirectResponse:
    """A subtitle segment."""
    match = _SUBTITLE_SEGMENT.search(request.raw_path)
    if match is None:
        raise DerivedNotFound("there is no such segment")
    id_, revision, name, scheme, number = (part.decode() for part in match.groups())
    _check(scheme)
    video = await exchange.services.offers.open(id_, revision)
    source = exchange.hold(video.file, video.status)
    load_presentation = partial(
        exchange.services.offers.presentation, source.fd, revision, source.content.size
    )
    boundaries = hls.subtitle_boundaries(await exchange.run_while_connected(load_presentation))
    if int(number) + 1 >= len(boundaries):
        raise DerivedNotFound("there is no such segment")
    cues = await exchange.services.subtitles.cues(id_, name)
    text = cues.segment(boundaries[int(number)], boundaries[int(number) + 1])
    file = f"{name}-{number}.vtt"
    return _send_text(request, Written.of(text), SUFFIXES["vtt"], file, video.status.st_mtime_ns, IMMUTABLE)


def _send_text(
    request: DirectRequest, text: Written, media_type: str, filename: str, mtime_ns: int, caching: str
) -> DirectResponse:
    response = request.respond(
        Representation(
            size=len(text.body),
            validators=Validators(etag=text.etag, modified=mtime_ns // 10**9),
            media_type=media_type,
            filename=filename,
            caching=caching,
            parts=(text.body,),
        )
    )
    return DirectResponse.in_memory(response)
