"""HLS and DASH: playlists and manifests of a video, and its segments, made of the file as it lies.

The address of a segment holds the revision of the video and the number of the rules by which it is made: it answers
with these bytes or not at all, so it can be cached for ever. A segment of a file whose index is in memory takes
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
from trio_stream.web.api.wire.operations import KEPT_AND_CHECKED, KEPT_FOR_EVER, Sends, declares
from trio_stream.web.api.wire.parts import MADE, REVISION, VideoId, says
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route, owner_fallback
from trio_stream.web.asgi.exchange import Exchange

blueprint = Blueprint("packaged", __name__)

_MANIFEST = re.compile(rb"/api/videos/([0-9a-f]{16})/([a-z0-9-]+)\.(m3u8|mpd)\Z")
_SEGMENT = re.compile(
    rb"/api/videos/([0-9a-f]{16})/r/([0-9a-f]{24})/([a-z0-9]+)-([0-9]{1,4})/(init([1-9][0-9]{0,3})?\.mp4|(k?)([0-9]{1,9})\.m4s)\Z"
)

_TEXT = re.compile(
    rb"/api/videos/([0-9a-f]{16})/r/([0-9a-f]{24})/(s-[0-9a-f]{32})-([0-9]{1,4})/([0-9]{1,9})\.vtt\Z"
)


REFUSED = "It cannot be sent in segments as it is; the detail says why."
FULL = "All places are taken, too many files are open, or whoever looks into files is not there now; ask again later."

PLAYLIST = Sends(
    id="playlist",
    summary="A playlist of HLS",
    noun="playlist",
    content={hls.MEDIA_TYPE: ()},
    example="master.m3u8",
    caching=KEPT_AND_CHECKED,
    size=2718,
    full=FULL,
    refused=REFUSED,
    description="`master` is the playlist of all renditions; the media playlists it names lie beside it. The "
    "`versions` of a title are renditions of it where their keyframes agree with those of the video that is asked for.",
    places={
        "id": VideoId,
        "name": Annotated[str, says("`master`, or as the master playlist says.", "master")],
    },
)
MANIFEST = replace(
    PLAYLIST,
    id="manifest",
    summary="The manifest of DASH",
    noun="manifest",
    content={dash.MEDIA_TYPE: ()},
    example="manifest.mpd",
    size=3141,
    places={"id": VideoId},
)
SEGMENT = Sends(
    id="segment",
    summary="A segment",
    noun="segment",
    content={"video/mp4": ()},
    example="0.m4s",
    caching=KEPT_FOR_EVER,
    size=1618033,
    full=FULL,
    refused=REFUSED,
    description="`init.mp4` is the init segment of the rendition, `N.m4s` a segment (counted from 0), `kN.m4s` a "
    "keyframe by itself. Take the addresses from a playlist: each stands for these bytes and no others, and answers "
    "404 once the video has other bytes, or segments are made by other rules.",
    places={
        "id": VideoId,
        "revision": Annotated[str, says("The revision of the video, as playlists have it.", REVISION)],
        "rendition": Annotated[
            str,
            says(
                "The rendition and the number of the rules by which it is cut, as playlists have them.",
                in_address("v1"),
            ),
        ],
        "name": Annotated[str, says("Which segment.", "0.m4s")],
    },
)
TEXT_SEGMENT = replace(
    SEGMENT,
    id="textSegment",
    summary="A segment of subtitles",
    content={SUFFIXES["vtt"]: ()},
    example="0.vtt",
    size=577,
    description="The cues that are shown in the time of a segment.",
    places={
        "id": VideoId,
        "revision": SEGMENT.places["revision"],
        "text": Annotated[str, says("The track of subtitles, likewise.", in_address(f"s-{MADE}"))],
        "name": Annotated[str, says("The number of the segment.", "0")],
    },
)


@byte_route(blueprint, "/api/videos/<id_>/<name>.m3u8", "/api/videos/<id_>/manifest.mpd")
@owner_fallback
@declares(PLAYLIST, MANIFEST)
async def manifest(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """A playlist of HLS, or the manifest of DASH."""
    found = _MANIFEST.search(asked.raw_path)
    if found is None:
        raise VideoNotFound("there is no such video")
    id_, name, suffix = (part.decode() for part in found.groups())
    offers, file = exchange.services.offers, f"{name}.{suffix}"
    offer = offers.offered(id_)
    if offer is None:
        offer = await exchange.run_while_connected(partial(offers.offer, id_))
    known = exchange.services.manifests.get(offer, id_, file, partial(_manifest, offer, name, suffix))
    kind = dash.MEDIA_TYPE if suffix == "mpd" else hls.MEDIA_TYPE
    return _send_text(asked, known, kind, file, offer.mtime_ns, REVALIDATE)


def _manifest(offer: Offer, name: str, suffix: str) -> str:
    """The text of a playlist or manifest. Raises `DerivedNotFound`."""
    if suffix == "mpd":
        return dash.manifest(offer.title)
    if name == "master":
        return hls.master(offer.title)
    own = offer.own.presentation
    folder = f"r/{offer.revision}"
    if any(text.name == name for text in offer.title.texts):
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
async def segment(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """An init segment, a segment, or a keyframe by itself."""
    found = _SEGMENT.search(asked.raw_path)
    if found is None:
        raise DerivedNotFound("there is no such segment")
    id_, revision, name, scheme, file, init, key, number = (
        part.decode() if part is not None else "" for part in found.groups()
    )
    _check(scheme)
    offers = exchange.services.offers
    video = await offers.open(id_, revision)
    source = exchange.hold(video.file, video.status)
    wanted = _Wanted(name, int(number) if number else None, keyframe=bool(key), init=int(init or 0))
    index = offers.warm(revision)
    present = partial(offers.presentation, source.fd, revision, source.content.size)
    if index is None and not (presentation := await exchange.run_while_connected(present)).by_copy:
        source = await exchange.run_while_connected(
            partial(_hold_remuxed, exchange, source, revision, presentation, wanted)
        )
        parts: tuple[Part, ...] = (ByteRanges(((0, source.content.size),)),)
        kind = _rendition(presentation, name).kind
    else:
        index = index or await offers.index(source.fd, revision, source.content.size)
        parts = _parts(index, wanted)
        kind = _rendition(index.presentation, name).kind
    answer = asked.respond(
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
    if not answer.parts or all(isinstance(part, bytes) for part in answer.parts):
        return DirectResponse.in_memory(answer)
    stream = exchange.admit(source, name=video.name, transport="http")
    return DirectResponse(answer.status, answer.headers, stream, answer.parts)


def _check(scheme: str) -> None:
    """Raises `DerivedNotFound` for segments that other rules made: these are not those."""
    if scheme != str(SCHEME):
        raise DerivedNotFound("there is no such segment any more")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which segment of which rendition; no number: which of its init segments."""

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


def _parts(index: Index, wanted: _Wanted) -> tuple[Part, ...]:
    """What is sent of a file that is packaged as it lies. Raises `DerivedNotFound`."""
    rendition, number = _rendition(index.presentation, wanted.name), wanted.number
    track = index.tracks[rendition.name]
    if number is None:
        if wanted.init >= len(track.codings):
            raise DerivedNotFound("there is no such segment")
        return (segments.init(track.coded(wanted.init)),)
    among = rendition.keys if wanted.keyframe else rendition.segments
    if among is None or number >= len(among):
        raise DerivedNotFound("there is no such segment")
    first = among.samples[number]
    stop = first + 1 if wanted.keyframe else among.samples[number + 1]
    try:
        return segments.segment(track, first, stop, number, index.size)
    except Malformed as error:
        raise DerivedNotFound(f"there is no such segment: {error}") from None


async def _hold_remuxed(
    exchange: Exchange, source: MappedFile, revision: str, presentation: Presentation, wanted: _Wanted
) -> MappedFile:
    """What is sent of a video that is no MP4, held in place of the video.

    Where this process is not the owner of the data, that is what the owner has made already; else it raises
    `NotTheOwner`. Also raises `DerivedNotFound`, and what `Remuxer` raises.
    """
    piece = _piece(revision, _rendition(presentation, wanted.name), wanted)
    services = exchange.services
    if (remuxer := services.owner.remuxer()) is not None:
        made = await remuxer.get(source.fd, piece)
    elif (kept := await services.shared_segments.open(piece.key)) is not None:
        made = kept
    else:
        raise NotTheOwner
    # Held here and not by who attends: a result is lost there when the request is cancelled in that moment.
    return exchange.hold(made)


def _piece(revision: str, rendition: Rendition, wanted: _Wanted) -> Recipe:
    """What is made of a video that is no MP4. Raises `DerivedNotFound`."""
    number = wanted.number
    if number is None:
        try:
            return init_recipe(revision, rendition, wanted.init)
        except LookupError:
            raise DerivedNotFound("there is no such segment") from None
    among = rendition.keys if wanted.keyframe else rendition.segments
    if among is None or number >= len(among):
        raise DerivedNotFound("there is no such segment")
    start = among.samples[number]
    if wanted.keyframe:
        return keyframe_recipe(revision, rendition, number, start, next_key(rendition, number))
    stop, until = stop_of(rendition, number)
    return segment_recipe(revision, rendition, number, start, stop, until=until)


@byte_route(blueprint, "/api/videos/<id_>/r/<revision>/<text>/<name>.vtt")
@owner_fallback
@declares(TEXT_SEGMENT)
async def text_segment(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """A segment of subtitles."""
    found = _TEXT.search(asked.raw_path)
    if found is None:
        raise DerivedNotFound("there is no such segment")
    id_, revision, name, scheme, number = (part.decode() for part in found.groups())
    _check(scheme)
    video = await exchange.services.offers.open(id_, revision)
    source = exchange.hold(video.file, video.status)
    present = partial(exchange.services.offers.presentation, source.fd, revision, source.content.size)
    marks = hls.text_marks(await exchange.run_while_connected(present))
    if int(number) + 1 >= len(marks):
        raise DerivedNotFound("there is no such segment")
    cues = await exchange.services.subtitles.cues(id_, name)
    text = cues.segment(marks[int(number)], marks[int(number) + 1])
    file = f"{name}-{number}.vtt"
    return _send_text(asked, Written.of(text), SUFFIXES["vtt"], file, video.status.st_mtime_ns, IMMUTABLE)


def _send_text(
    asked: DirectRequest, text: Written, media_type: str, filename: str, mtime_ns: int, caching: str
) -> DirectResponse:
    answer = asked.respond(
        Representation(
            size=len(text.body),
            validators=Validators(etag=text.etag, modified=mtime_ns // 10**9),
            media_type=media_type,
            filename=filename,
            caching=caching,
            parts=(text.body,),
        )
    )
    return DirectResponse.in_memory(answer)
