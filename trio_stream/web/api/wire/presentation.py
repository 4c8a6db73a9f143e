"""The tracks that a file offers in segments, and the omitted ones."""

from typing import Annotated, Literal

from trio_stream.packaging.presentation import Reason
from trio_stream.web.api.wire.parts import Language, Number, Shape, Whole, says

type Kind = Annotated[Literal["video", "audio"], says("The kind of the track.")]
type Track = Annotated[Whole, says("The number of the track in the file, as in the name of its rendition.")]
type Label = Annotated[str | None, says("The name of the track in the file.")]


class Rendition(Shape, frozen=True, kw_only=True):
    """A track that playlists offer."""

    kind: Kind
    name: Annotated[str, says("Its name in playlists and addresses.", "v1")]
    track: Track
    codec: Annotated[str, says("The codec string for browsers (RFC 6381).", "avc1.64001f")]
    language: Language
    label: Label
    default: Annotated[bool, says("Whether it is the default of its kind.")]


class OmittedTrack(Shape, frozen=True, kw_only=True):
    """A track that playlists omit."""

    kind: Kind
    track: Track
    codec: Annotated[str, says("The name of the codec in the file.", "mjpeg", "ac-3")]
    language: Language
    label: Label
    reason: Annotated[str, says("The reason, in a sentence for people.")]
    code: Annotated[
        Reason,
        says(
            "The reason, for programs: its codec is not supported in segments; it is encrypted; it belongs to another "
            "programme; another video track is played; or another reason."
        ),
    ]


class Presentation(Shape, frozen=True, kw_only=True):
    """The tracks that a file offers in segments, and the omitted ones."""

    duration: Annotated[Number | None, says("Seconds; null if no track is offered.")]
    reason: Annotated[str | None, says("Why no track is offered; null otherwise.")]
    code: Annotated[Literal["unpackageable", "encrypted"] | None, says("The reason, for programs.")]
    renditions: Annotated[list[Rendition], says("The tracks that playlists offer, video first.")]
    omitted: Annotated[list[OmittedTrack], says("The tracks that playlists omit.")]
