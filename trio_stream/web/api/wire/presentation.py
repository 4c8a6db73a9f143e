"""What a file offers in segments, and what not and why."""

from typing import Annotated, Literal

from trio_stream.packaging.presentation import Reason
from trio_stream.web.api.wire.parts import Language, Number, Shape, Whole, says

type Kind = Annotated[Literal["video", "audio"], says("Pictures or sound.")]
type Track = Annotated[Whole, says("The number of the track in the file, as the name of a rendition has it.")]
type Label = Annotated[str | None, says("What the file calls it.")]


class Rendition(Shape, frozen=True, kw_only=True):
    """A track that is offered in segments."""

    kind: Kind
    name: Annotated[str, says("Its name in playlists and addresses.", "v1")]
    track: Track
    codec: Annotated[str, says("As browsers know it (RFC 6381).", "avc1.64001f")]
    language: Language
    label: Label
    default: Annotated[bool, says("Whether it is the one of its kind to begin with.")]


class OmittedTrack(Shape, frozen=True, kw_only=True):
    """A track that is not offered in segments."""

    kind: Kind
    track: Track
    codec: Annotated[str, says("What the file calls its coding.", "mjpeg", "ac-3")]
    language: Language
    label: Label
    reason: Annotated[str, says("Why, in a sentence for people.")]
    code: Annotated[
        Reason,
        says(
            "Why, for programs: its codec is not packaged; it is encrypted; it belongs to another programme; other "
            "pictures are played; or else."
        ),
    ]


class Presentation(Shape, frozen=True, kw_only=True):
    """What a file offers in segments, and what not."""

    duration: Annotated[Number | None, says("Seconds; null where nothing is offered.")]
    reason: Annotated[str | None, says("Why nothing is offered; null where something is.")]
    code: Annotated[Literal["unpackageable", "encrypted"] | None, says("The same for programs.")]
    renditions: Annotated[list[Rendition], says("The tracks that playlists offer, pictures first.")]
    omitted: Annotated[list[OmittedTrack], says("The tracks that they leave out.")]
