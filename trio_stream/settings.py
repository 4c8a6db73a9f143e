"""What the person who runs the server may choose, typed and checked before anything starts.

A value comes from the environment (`TRIO_STREAM_VIDEOS`), else from `trio_stream.toml` in the working directory or
where `TRIO_STREAM_CONFIG` points (`videos = "/srv/films"`), else from the default here. A name nobody knows is an
error too: a misspelt setting that is silently left out is worse than a server that does not start.
"""

import difflib
import hashlib
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from trio_stream.errors import SettingsError
from trio_stream.http.cors import normalise_origin
from trio_stream.http.hosts import normalise_host

type Network = IPv4Network | IPv6Network

PREFIX = "TRIO_STREAM_"
CONFIG_FILE = "trio_stream.toml"
NOT_SETTINGS = frozenset({"CONFIG", "FFMPEG"})
"""Variables with our prefix that are no settings of the server: where the file is, and what scripts use."""

SQLITE = "sqlite"
"""In place of the address of a database: a file in the data folder."""

DATABASES = frozenset({"sqlite", "postgresql", "postgres"})

LOG_LEVELS = ("debug", "info", "warning", "error")


def _path(value: object) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a path is needed")
    return _expanded(value).absolute()


def _expanded(value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as error:  # ~somebody, and there is nobody of that name
        raise ValueError(str(error)) from None


def _number(
    kind: type[int] | type[float], needed: str, least: float, most: float
) -> Callable[[object], float]:
    def parse(value: object) -> float:
        try:
            if isinstance(value, bool) or not isinstance(value, kind | int | str):
                raise ValueError
            number = kind(value)
        except ValueError:
            raise ValueError(f"a {needed} is needed") from None
        if not least <= number <= most:
            raise ValueError(f"a {needed} from {least} to {most} is needed")
        return number

    return parse


def _whole(least: int, most: int) -> Callable[[object], float]:
    return _number(int, "whole number", least, most)


def _seconds(least: float, most: float) -> Callable[[object], float]:
    return _number(float, "number of seconds", least, most)


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    named = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    if not isinstance(value, str) or value.lower() not in named:
        raise ValueError("1 or 0 is needed")
    return named[value.lower()]


class Size(int):
    """Bytes, shown in the largest unit of which they are a whole number."""

    def __str__(self) -> str:
        for power, unit in enumerate(("TiB", "GiB", "MiB", "KiB")):
            one = 1 << 10 * (4 - power)
            if self and self % one == 0:
                return f"{self // one} {unit}"
        return int.__repr__(self)


_UNITS = {
    "": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
}  # fmt: skip


def _size(value: object) -> Size:
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([A-Za-z]*)", str(value))
    if isinstance(value, bool) or not found or found[2].upper() not in _UNITS:
        raise ValueError("a number of bytes is needed, such as 500 MB or 2 GiB")
    size = Size(float(found[1]) * _UNITS[found[2].upper()])
    if size > 1 << 50:
        raise ValueError("at most 1024 TiB can be meant")
    return size


def _one_of(*choices: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"one of {', '.join(choices)} is needed")
        return value

    return parse


def _list(value: object) -> list[str] | None:
    entries = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        return None
    return [] if entries == ["none"] else entries


def _database(value: object) -> str:
    if isinstance(value, str) and (value == SQLITE or urlsplit(value).scheme in DATABASES):
        return value
    raise ValueError(f"{SQLITE} or an address is needed, such as postgresql://user@host/trio_stream")


def _origins(value: object) -> frozenset[str]:
    entries = _list(value)
    if entries is None:
        raise ValueError("a list of origins is needed, such as https://films.example")
    return frozenset(entry if entry == "*" else normalise_origin(entry) for entry in entries)


def _hosts(value: object) -> frozenset[str]:
    entries = _list(value)
    if entries is None:
        raise ValueError("a list of names is needed, such as films.example")
    return frozenset(map(normalise_host, entries))


def _networks(value: object) -> tuple[Network, ...]:
    entries = _list(value)
    if entries is None:
        raise ValueError("a list of addresses or networks is needed, such as 10.0.0.0/8")
    return tuple(ip_network(entry) for entry in entries)


def _setting(parse: Callable[[object], object], about: str, **more: Any) -> Any:
    return field(metadata={"parse": parse, "about": about}, **more)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings; `load` makes them. Times are in seconds, sizes in bytes."""

    videos: Path = _setting(_path, "The folder of videos.", default_factory=lambda: Path("videos").absolute())
    data: Path = _setting(
        _path,
        "Where the server keeps what it makes; never inside the videos.",
        default=cast("Path", None),
    )
    database_url: str = _setting(
        _database,
        "The database: sqlite for a file among the data, or the address of another one.",
        default=SQLITE,
    )
    scan_interval: float = _setting(
        _seconds(5, 7 * 86_400),
        "All videos are looked at again after so many seconds, whatever was heard of them.",
        default=900.0,
    )
    artwork_share: float = _setting(
        _number(float, "part of the machine", 0, 1),
        "How much of the processors posters and previews may take while they are made; 0 for none.",
        default=0.25,
    )
    segment_cache: Size = _setting(
        _size,
        "How much disk may be taken for parts of videos that are no MP4, made for players; 0 to keep none.",
        default=Size(2 << 30),
    )
    max_streams: int = _setting(
        _whole(1, 1_000_000), "Streams at once; the next one is told to come back later.", default=10_000
    )
    send_timeout: float = _setting(
        _seconds(1, 86_400), "A client that takes nothing for so long is let go, in seconds.", default=60.0
    )
    disk_threads: int = _setting(_whole(1, 256), "Threads that may wait for the disk at once.", default=16)
    zero_copy: bool = _setting(
        _switch,
        "Let the system send files by itself where it can (sendfile); 0 to copy them instead.",
        default=True,
    )
    direct: bool = _setting(
        _switch,
        "Answer requests for bytes without the web framework; 0 to send them through it, for hooks of your own.",
        default=True,
    )
    connections_per_address: int = _setting(
        _whole(1, 1_000_000),
        "Connections from one address, and HTTP/2 streams on them; this machine and trusted proxies may have more.",
        default=256,
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        _networks,
        "Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas.",
        default=(),
    )
    hosts: frozenset[str] = _setting(
        _hosts,
        "Further names of this server, separated by commas; .films.example for all names below it, * for any.",
        default=frozenset(),
    )
    cors_origins: frozenset[str] = _setting(
        _origins,
        "Origins of other sites whose pages may use the API, separated by commas; * for any.",
        default=frozenset(),
    )
    log_format: Literal["console", "json"] = _setting(
        _one_of("console", "json"), "Logs for people (console) or for programs (json).", default="console"
    )
    log_level: str = _setting(_one_of(*LOG_LEVELS), "The least level that is logged.", default="info")

    def __post_init__(self) -> None:
        if self.data is None:
            object.__setattr__(self, "data", default_data(self.videos))
        videos, data = Path(os.path.realpath(self.videos)), Path(os.path.realpath(self.data))
        if data == videos or videos in data.parents:
            raise SettingsError(
                f"{PREFIX}DATA={self.data} lies inside the videos ({self.videos}): what the server makes is kept apart"
            )

    def check_videos(self) -> None:
        """Raise `SettingsError` unless the folder of videos is there and can be read."""
        try:
            os.scandir(self.videos).close()
        except OSError as error:
            raise SettingsError(
                f"{PREFIX}VIDEOS={self.videos}: the folder of videos cannot be read ({error.strerror}); "
                f"make it, or set {PREFIX}VIDEOS to another one"
            ) from None


@dataclass(frozen=True, slots=True)
class Row:
    """A setting as people see it."""

    variable: str
    value: str
    default: str
    about: str
    chosen: bool


def load(environ: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Settings:
    """The settings in force, from `environ` and the file found from `folder`. Raises `SettingsError`."""
    environ = os.environ if environ is None else environ
    values = _from_file(environ, folder or Path.cwd())
    values |= _from_environment(environ)
    parsers: dict[str, Callable[[object], object]] = {
        each.name: each.metadata["parse"] for each in fields(Settings)
    }
    parsed: dict[str, Any] = {}
    for name, (value, source) in values.items():
        try:
            parsed[name] = parsers[name](value)
        except ValueError as error:
            raise SettingsError(f"{source} is {value!r}: {error}") from None
    return Settings(**parsed)


def rows(settings: Settings) -> list[Row]:
    """Each setting with the value in force and its default, in a fixed order; `chosen` where the two differ."""
    unset = {"videos": Path("videos").absolute(), "data": default_data(settings.videos)}
    return [
        Row(
            variable=PREFIX + each.name.upper(),
            value=_show(_without_password(value := getattr(settings, each.name))),
            default=_default(each.name),
            about=each.metadata["about"],
            chosen=value != unset.get(each.name, each.default),
        )
        for each in fields(Settings)
    ]


def default_data(videos: Path) -> Path:
    """The user's data directory, under a hash of the library's path, so that libraries do not share one."""
    library = hashlib.blake2b(os.fsencode(os.path.realpath(videos)), digest_size=6).hexdigest()
    if sys.platform == "darwin":
        base = Path("~/Library/Application Support").expanduser()
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
    return base.absolute() / "trio-stream" / library


def _from_file(environ: Mapping[str, str], folder: Path) -> dict[str, tuple[object, str]]:
    chosen = environ.get(f"{PREFIX}CONFIG")
    try:
        path = _expanded(chosen) if chosen else folder / CONFIG_FILE
    except ValueError as error:
        raise SettingsError(f"{PREFIX}CONFIG={chosen}: {error}") from None
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if chosen:
            raise SettingsError(f"{PREFIX}CONFIG={chosen}: there is no such file") from None
        return {}
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    return {_known(key, f"{path}: {key}"): (value, f"{path}: {key}") for key, value in content.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    found: dict[str, tuple[object, str]] = {}
    for variable, value in environ.items():
        name = variable.removeprefix(PREFIX)
        if name != variable and name not in NOT_SETTINGS:
            found[_known(name.lower(), variable)] = (value, variable)
    return found


def _known(name: str, source: str) -> str:
    names = [each.name for each in fields(Settings)]
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
    raise SettingsError(f"{source}: there is no setting {name}{hint}")


def _default(name: str) -> str:
    each = next(one for one in fields(Settings) if one.name == name)
    match name:
        case "videos":
            return "./videos"
        case "data":
            return "the user's data directory"
        case _:
            return _show(each.default if each.default is not MISSING else "")


def _without_password(value: object) -> object:
    if not isinstance(value, str) or "://" not in value:
        return value
    before, at, host = value.rpartition("@")
    user, colon, _ = before.partition("://")[2].partition(":")
    return f"{before.partition('://')[0]}://{user}:***@{host}" if at and colon else value


def _show(value: object) -> str:
    if isinstance(value, frozenset | tuple):
        return ", ".join(sorted(str(each) for each in value)) or "none"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Path):
        return os.fsencode(value).decode("utf-8", "replace")
    return f"{value:g}" if isinstance(value, float) else str(value)
