"""Who sent a request."""

from typing import Annotated, Literal

from trio_stream.web.api.wire.parts import Ok, Shape, says


class Me(Shape, frozen=True, kw_only=True):
    """Who sent the request, and what they may do."""

    name: Annotated[str, says("A name for people.", "a guest")]
    verbs: Annotated[
        list[Literal["watch", "track", "edit", "operate"]],
        says(
            "`watch`: list and play videos. `track`: have playheads and a history here. `edit`: change titles and "
            "tags, start scans. `operate`: see the activity, the metrics and the API reference, end streams."
        ),
    ]
    status: Ok = "ok"
