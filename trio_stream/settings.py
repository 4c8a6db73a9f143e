"""The settings of the server, typed and checked before anything starts.

A value comes from the environment (`TRIO_STREAM_VIDEOS`), else from `trio_stream.toml` in the working directory or the
file that `TRIO_STREAM_CONFIG` names (`videos = "/srv/films"`), else from the default here. An unknown name is
an error: silently ignoring a misspelt setting is worse than not starting.
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
"""Variables with our prefix that are not settings: the path of the file, and variables for scripts."""

SQLITE = "sqlite"
"""In place of a database URL: a file in the data folder."""

DATABASES = frozenset({"sqlite", "postgresql", "postgres"})

LOG_LEVELS = ("debug", "info", "warning", "error")


def _path(value: object) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("it must be a path")
    return _expanded(value).absolute()


def _expanded(value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as error:  # ~name, and there is no such user
        raise ValueError(str(error)) from None


def _number(
    kind: type[int] | type[float], expected: str, lowest: float, highest: float
) -> Callable[[object], float]:
    def parse(value: object) -> float:
        try:
            if isinstance(value, bool) or not isinstance(value, kind | int | str):
                raise ValueError
            number = kind(value)
        except ValueError:
            raise ValueError(f"it must be a {expected}") from None
        if not lowest <= number <= highest:
            raise ValueError(f"it must be a {expected} from {lowest} to {highest}")
        return number

    return parse


def _whole(lowest: int, highest: int) -> Callable[[object], float]:
    return _number(int, "whole number", lowest, highest)


def _seconds(lowest: float, highest: float) -> Callable[[object], float]:
    return _number(float, "number of seconds", lowest, highest)


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    switches = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    if not isinstance(value, str) or value.lower() not in switches:
        raise ValueError("it must be 1 or 0")
    return switches[value.lower()]


class Size(int):
    """Bytes, shown in the largest unit that gives a whole number."""

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
    match_ = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([A-Za-z]*)", str(value))
    if isinstance(value, bool) or not match_ or match_[2].upper() not in _UNITS:
        raise ValueError("it must be a number of bytes, such as 500 MB or 2 GiB")
    size = Size(float(match_[1]) * _UNITS[match_[2].upper()])
    if size > 1 << 50:
        raise ValueError("it must be at most 1024 TiB")
    return size


def _one_of(*choices: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
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
    raise ValueError(f"it must be {SQLITE} or a URL such as postgresql://user@host/trio_stream")


def _origins(value: object) -> frozenset[str]:
    entries = _list(value)
    if entries is None:
        raise ValueError("it must be a list of origins, such as https://films.example")
    return frozenset(entry if entry == "*" else normalise_origin(entry) for entry in entries)


def _hosts(value: object) -> frozenset[str]:
    entries = _list(value)
    if entries is None:
        raise ValueError("it must be a list of names, such as films.example")
    return frozenset(map(normalise_host, entries))


def _networks(value: object) -> tuple[Network, ...]:
    entries = _list(value)
    if entries is None:
        raise ValueError("it must be a list of addresses or networks, such as 10.0.0.0/8")
    return tuple(ip_network(entry) for entry in entries)


def _setting(parse: Callable[[object], object], description: str, **more: Any) -> Any:
    return field(metadata={"parse": parse, "description": description}, **more)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings, from `load`. Times are in seconds, sizes in bytes."""

    videos: Path = _setting(_path, "The folder of videos.", default_factory=lambda: Path("videos").absolute())
    data: Path = _setting(
        _path,
        "The folder for the server's own data; never inside the videos.",
        default=cast("Path", None),
    )
    database_url: str = _setting(
        _database,
        "The database: sqlite for a file in the data folder, or the URL of a PostgreSQL or SQLite database.",
        default=SQLITE,
    )
    scan_interval: float = _setting(
        _seconds(5, 7 * 86_400),
        "Seconds between full scans of the videos, even if no changes were reported.",
        default=900.0,
    )
    artwork_share: float = _setting(
        _number(float, "share of the machine", 0, 1),
        "The share of the processors that generating posters and thumbnails may use; 0 generates none.",
        default=0.25,
    )
    segment_cache: Size = _setting(
        _size,
        "The most disk space for segments of videos that are not MP4; 0 stores none.",
        default=Size(2 << 30),
    )
    max_streams: int = _setting(
        _whole(1, 1_000_000), "The most concurrent streams; another client gets 503.", default=10_000
    )
    send_timeout: float = _setting(
        _seconds(1, 86_400), "Seconds after which a client that reads nothing is disconnected.", default=60.0
    )
    disk_threads: int = _setting(
        _whole(1, 256), "The most threads that wait for the disk at once.", default=16
    )
    zero_copy: bool = _setting(
        _switch,
        "Let the system send files where it can (sendfile); 0 copies them instead.",
        default=True,
    )
    direct: bool = _setting(
        _switch,
        "Serve files and segments without the web framework; 0 sends them through it, for your own hooks.",
        default=True,
    )
    connections_per_address: int = _setting(
        _whole(1, 1_000_000),
        "Connections from one address, and HTTP/2 streams on them; this machine and trusted proxies may have more.",
        default=256,
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        _networks,
        "Addresses or networks of proxies whose X-Forwarded-For is trusted, separated by commas.",
        default=(),
    )
    anonymous: Literal["nothing", "view"] = _setting(
        _one_of("nothing", "view"),
        "What anybody on other machines may do: nothing, or view all videos.",
        default="nothing",
    )
    hosts: frozenset[str] = _setting(
        _hosts,
        "Additional names of this server, separated by commas; .films.example for all names below it, * for any.",
        default=frozenset(),
    )
    cors_origins: frozenset[str] = _setting(
        _origins,
        "Origins of other sites whose pages may use the API, separated by commas; * for any.",
        default=frozenset(),
    )
    log_format: Literal["console", "json"] = _setting(
        _one_of("console", "json"),
        "Log format: readable (console) or for programs (json).",
        default="console",
    )
    log_level: str = _setting(_one_of(*LOG_LEVELS), "The lowest level that is logged.", default="info")

    def __post_init__(self) -> None:
        if self.data is None:
            object.__setattr__(self, "data", default_data(self.videos))
        videos, data = Path(os.path.realpath(self.videos)), Path(os.path.realpath(self.data))
        if data == videos or videos in data.parents:
            raise SettingsError(
                f"{PREFIX}DATA={self.data} is inside the videos ({self.videos}); choose a folder outside"
            )

    def check_videos(self) -> None:
        """Raise `SettingsError` if the folder of videos does not exist or cannot be read."""
        try:
            os.scandir(self.videos).close()
        except OSError as error:
            raise SettingsError(
                f"{PREFIX}VIDEOS={self.videos}: the folder of videos cannot be read ({error.strerror}); "
                f"create it, or set {PREFIX}VIDEOS to another one"
            ) from None


@dataclass(frozen=True, slots=True)
class Row:
    """A setting for display."""

    variable: str
    value: str
    default: str
    description: str
    chosen: bool


def load(environ: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Settings:
    """The current settings, from `environ` and the file found from `folder`. Raises `SettingsError`."""
    environ = os.environ if environ is None else environ
    values = _from_file(environ, folder or Path.cwd())
    values |= _from_environment(environ)
    parsers: dict[str, Callable[[object], object]] = {
        setting.name: setting.metadata["parse"] for setting in fields(Settings)
    }
    parsed: dict[str, Any] = {}
    for name, (value, source) in values.items():
        try:
            parsed[name] = parsers[name](value)
        except ValueError as error:
            raise SettingsError(f"{source} is {value!r}: {error}") from None
    return Settings(**parsed)


def rows(settings: Settings) -> list[Row]:
    """Each setting with its value and its default, in a fixed order; `chosen` if the two differ."""
    unset = {"videos": Path("videos").absolute(), "data": default_data(settings.videos)}
    return [
        Row(
            variable=PREFIX + setting.name.upper(),
            value=_show(_without_password(value := getattr(settings, setting.name))),
            default=_default(setting.name),
            description=setting.metadata["description"],
            chosen=value != unset.get(setting.name, setting.default),
        )
        for setting in fields(Settings)
    ]


def default_data(videos: Path) -> Path:
    """The default data folder: in the user's data directory, named by a hash of the library's path."""
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
    return {_setting_name(key, f"{path}: {key}"): (value, f"{path}: {key}") for key, value in content.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    values: dict[str, tuple[object, str]] = {}
    for variable, value in environ.items():
        name = variable.removeprefix(PREFIX)
        if name != variable and name not in NOT_SETTINGS:
            values[_setting_name(name.lower(), variable)] = (value, variable)
    return values


def _setting_name(name: str, source: str) -> str:
    names = [setting.name for setting in fields(Settings)]
    if name in names:
        return name
    close_matches = difflib.get_close_matches(name, names, n=1)
    hint = (
        f"; did you mean {close_matches[0]}?" if close_matches else f"; the settings are {', '.join(names)}"
    )
    raise SettingsError(f"{source}: there is no setting {name}{hint}")


def _default(name: str) -> str:
    setting = next(field for field in fields(Settings) if field.name == name)
    match name:
        case "videos":
            return "./videos"
        case "data":
            return "the user's data directory"
        case _:
            return _show(setting.default if setting.default is not MISSING else "")


def _without_password(value: object) -> object:
    if not isinstance(value, str) or "://" not in value:
        return value
    before, at, host = value.rpartition("@")
    user, colon, _ = before.partition("://")[2].partition(":")
    return f"{before.partition('://')[0]}://{user}:***@{host}" if at and colon else value


def _show(value: object) -> str:
    if isinstance(value, frozenset | tuple):
        return ", ".join(sorted(str(entry) for entry in value)) or "none"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Path):
        return os.fsencode(value).decode("utf-8", "replace")
    return f"{value:g}" if isinstance(value, float) else str(value)
