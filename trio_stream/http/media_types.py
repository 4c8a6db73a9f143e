"""Media types of files. Files are recognised as videos by their suffix.

Invariant: the table is our own. The result does not depend on the machine's mime.types or on the version of Python,
because it decides both which files are served and how browsers treat them.

The types are those IANA has registered (RFC 2046 mpeg, RFC 3555 mp2t, RFC 3839 and 4393 3gpp and 3gpp2, RFC 4337 mp4,
RFC 4539 mxf, RFC 5334 ogg, and quicktime). Containers that were never registered, or only recently, have the type in
Apache httpd's mime.types, which browsers and players support: RFC 9559, for example, now calls video/x-matroska the
deprecated alias of video/matroska. Suffixes that only name the program that wrote the file (m4v and f4v are MP4, divx
is AVI, ogm is Ogg) have the type of the container.
"""

_TYPES = {
    "3g2": "video/3gpp2",
    "3gp": "video/3gpp",
    "3gpp": "video/3gpp",
    "asf": "video/x-ms-asf",
    "avi": "video/x-msvideo",
    "divx": "video/x-msvideo",
    "dv": "video/dv",
    "f4v": "video/mp4",
    "flv": "video/x-flv",
    "m1v": "video/mpeg",
    "m2p": "video/mpeg",
    "m2t": "video/mp2t",
    "m2ts": "video/mp2t",
    "m2v": "video/mpeg",
    "m4v": "video/mp4",
    "mk3d": "video/x-matroska",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "mpe": "video/mpeg",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "mts": "video/mp2t",
    "mxf": "application/mxf",
    "ogm": "video/ogg",
    "ogv": "video/ogg",
    "qt": "video/quicktime",
    "rm": "application/vnd.rn-realmedia",
    "rmvb": "application/vnd.rn-realmedia-vbr",
    # Also the suffix of TypeScript, but not in a folder of videos.
    "ts": "video/mp2t",
    "vob": "video/mpeg",
    "webm": "video/webm",
    "wmv": "video/x-ms-wmv",
}


def media_type(name: str) -> str | None:
    """The media type of a file called `name`, from its suffix in any case; None if it is not a video.

    A name that is only a suffix (".mp4") is a hidden file without one.
    """
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem or stem.endswith("/"):
        return None
    return _TYPES.get(suffix.lower())
