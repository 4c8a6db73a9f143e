"""Settings: where a value comes from, and the errors for wrong ones."""

import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.errors import SettingsError
from trio_stream.settings import NOT_SETTINGS, Settings, Size, default_data, load, rows

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory, and a working directory without a settings file."""
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.chdir(home / "work")
    return home


def refusal(environ: dict[str, str], folder: Path) -> str:
    """The error for invalid settings: one line."""
    with pytest.raises(SettingsError) as raised:
        load(environ, folder=folder)
    message = str(raised.value)
    assert message.isprintable()
    return message


def test_defaults(home: Path) -> None:
    settings = load({})
    assert settings == Settings()
    assert settings.videos == home / "work" / "videos"
    assert (settings.max_streams, settings.send_timeout, settings.disk_threads) == (10_000, 60.0, 16)
    assert (settings.cors_origins, settings.log_format, settings.log_level) == (
        frozenset(),
        "console",
        "info",
    )


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("videos", "/srv/films", Path("/srv/films")),
        ("videos", "/srv/fi lms/ü", Path("/srv/fi lms/ü")),
        ("data", "/var/lib/trio-stream", Path("/var/lib/trio-stream")),
        ("max_streams", "1", 1),
        ("max_streams", "1000000", 1_000_000),
        ("send_timeout", "1", 1.0),
        ("send_timeout", "2.5", 2.5),
        ("send_timeout", "86400", 86_400.0),
        ("disk_threads", "256", 256),
        ("cors_origins", "", frozenset()),
        ("cors_origins", "*", frozenset({"*"})),
        ("cors_origins", "https://a.example", frozenset({"https://a.example"})),
        ("cors_origins", "https://a.example,http://b:81", frozenset({"https://a.example", "http://b:81"})),
        ("cors_origins", " HTTPS://A.example:443 , *, ", frozenset({"https://a.example", "*"})),
        ("database_url", "sqlite", "sqlite"),
        ("database_url", "postgresql://me:secret@host/films", "postgresql://me:secret@host/films"),
        ("database_url", "sqlite:////srv/library.db", "sqlite:////srv/library.db"),
        ("scan_interval", "5", 5.0),
        ("artwork_share", "0", 0.0),
        ("artwork_share", "1", 1.0),
        ("segment_cache", "0", 0),
        ("segment_cache", "1000", 1000),
        ("segment_cache", "2 GiB", 2 << 30),
        ("segment_cache", "1.5gib", 3 << 29),
        ("segment_cache", "500MB", 500_000_000),
        ("segment_cache", "1024 TiB", 1 << 50),
        ("log_format", "json", "json"),
        ("log_format", "console", "console"),
        ("log_level", "debug", "debug"),
        ("log_level", "error", "error"),
    ],
)
def test_an_environment_variable(name: str, text: str, value: object) -> None:
    assert getattr(load({f"TRIO_STREAM_{name.upper()}": text}), name) == value


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ('videos = "/srv/films"', "videos", Path("/srv/films")),
        ("max_streams = 7", "max_streams", 7),
        ('max_streams = "7"', "max_streams", 7),
        ("send_timeout = 3", "send_timeout", 3.0),
        ("send_timeout = 3.5", "send_timeout", 3.5),
        ("cors_origins = []", "cors_origins", frozenset()),
        ('cors_origins = ["https://a.example", "*"]', "cors_origins", frozenset({"https://a.example", "*"})),
        ('cors_origins = "https://a.example"', "cors_origins", frozenset({"https://a.example"})),
        ("segment_cache = 4096", "segment_cache", Size(4096)),
        ('segment_cache = "4 KiB"', "segment_cache", Size(4096)),
        ('log_format = "json"', "log_format", "json"),
        ("# only a comment", "max_streams", 10_000),
    ],
)
def test_a_line_of_the_settings_file(line: str, name: str, value: object) -> None:
    Path("trio_stream.toml").write_text(line + "\n", encoding="utf-8")
    found = getattr(load({}), name)
    assert found == value
    assert type(found) is type(value)


WRONG = [
    ("videos", "", "it must be a path"),
    ("data", "", "it must be a path"),
    ("data", "a\0b", "it must be a path"),
    ("max_streams", "", "it must be a whole number"),
    ("max_streams", "many", "it must be a whole number"),
    ("max_streams", "1.5", "it must be a whole number"),
    ("max_streams", "0x10", "it must be a whole number"),
    ("max_streams", "9" * 5000, "it must be a whole number"),
    ("max_streams", "0", "from 1 to 1000000"),
    ("max_streams", "-1", "from 1 to 1000000"),
    ("max_streams", "1000001", "from 1 to 1000000"),
    ("send_timeout", "", "it must be a number of seconds"),
    ("send_timeout", "1 minute", "it must be a number of seconds"),
    ("send_timeout", "0", "from 1 to 86400"),
    ("send_timeout", "0.999", "from 1 to 86400"),
    ("send_timeout", "nan", "from 1 to 86400"),
    ("send_timeout", "inf", "from 1 to 86400"),
    ("send_timeout", "-5", "from 1 to 86400"),
    ("disk_threads", "0", "from 1 to 256"),
    ("disk_threads", "257", "from 1 to 256"),
    ("cors_origins", "tv.example", "has no scheme"),
    ("cors_origins", "https://a.example/", "continues after the host"),
    ("cors_origins", "https://a.example, https://*.b.example", "has a wildcard"),
    ("database_url", "mysql://host/films", "sqlite or a URL"),
    ("database_url", "", "sqlite or a URL"),
    ("scan_interval", "4", "from 5 to 604800"),
    ("artwork_share", "1.1", "from 0 to 1"),
    ("segment_cache", "", "it must be a number of bytes"),
    ("segment_cache", "-1", "it must be a number of bytes"),
    ("segment_cache", "2 Gb/s", "it must be a number of bytes"),
    ("segment_cache", "1025 TiB", "at most 1024 TiB"),
    ("log_format", "xml", "it must be one of console, json"),
    ("log_format", "", "it must be one of console, json"),
    ("log_level", "INFO", "it must be one of debug, info, warning, error"),
    ("log_level", "loud", "it must be one of debug, info, warning, error"),
]


@pytest.mark.parametrize(("name", "text", "expected"), WRONG)
def test_a_wrong_variable_is_named_with_what_is_allowed(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    message = refusal({f"TRIO_STREAM_{name.upper()}": text}, tmp_path)
    assert message.startswith(f"TRIO_STREAM_{name.upper()} is ")
    assert expected in message
    assert repr(text) in message


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("videos = 1", "it must be a path"),
        ('videos = ["a", "b"]', "it must be a path"),
        ("max_streams = true", "it must be a whole number"),
        ("max_streams = 1.0", "it must be a whole number"),
        ("max_streams = 0", "from 1 to 1000000"),
        ("send_timeout = false", "it must be a number of seconds"),
        ("send_timeout = nan", "from 1 to 86400"),
        ("send_timeout = 10:30:00", "it must be a number of seconds"),
        ("disk_threads = [4]", "it must be a whole number"),
        ("cors_origins = 5", "it must be a list of origins"),
        ('cors_origins = ["https://a.example", 5]', "it must be a list of origins"),
        ('cors_origins = ["https://a.example https://b.example"]', "continues after the host"),
        ("log_format = 1", "it must be one of console, json"),
        ('log_level = ["info"]', "it must be one of debug, info, warning, error"),
        ("[videos]", "it must be a path"),
    ],
)
def test_a_wrong_line_of_the_file_is_named_with_the_file(tmp_path: Path, line: str, expected: str) -> None:
    file = tmp_path / "trio_stream.toml"
    file.write_text(line + "\n", encoding="utf-8")
    message = refusal({}, tmp_path)
    assert message.startswith(f"{file}: {line.strip('[]').split(' ')[0]} is ")
    assert expected in message


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("VIDEO", "did you mean videos?"),
        ("MAX_STREAM", "did you mean max_streams?"),
        ("MAXSTREAMS", "did you mean max_streams?"),
        ("CORS_ORIGIN", "did you mean cors_origins?"),
        ("LOGLEVEL", "did you mean log_level?"),
        ("COLOUR", "the settings are videos, data, database_url, "),
    ],
)
@pytest.mark.parametrize("where", ["environment", "file"])
def test_an_unknown_name_is_an_error_with_a_hint(tmp_path: Path, name: str, hint: str, where: str) -> None:
    file = tmp_path / "trio_stream.toml"
    if where == "file":
        file.write_text(f"{name.lower()} = 1\n", encoding="utf-8")
        source, environ = f"{file}: {name.lower()}", {}
    else:
        source, environ = f"TRIO_STREAM_{name}", {f"TRIO_STREAM_{name}": "1"}
    message = refusal(environ, tmp_path)
    assert message.startswith(f"{source}: there is no setting {name.lower()}; {hint}")


def test_variables_that_are_not_settings_are_ignored() -> None:
    others = {
        "TRIO_STREAM_FFMPEG": "/usr/bin/ffmpeg",
        "TRIO_STREAMS": "x",
        "MAX_STREAMS": "x",
        "PATH": "/bin",
    }
    assert load(others) == load({})


def test_the_environment_overrides_the_file_and_the_file_the_default(tmp_path: Path) -> None:
    (tmp_path / "trio_stream.toml").write_text("max_streams = 5\ndisk_threads = 6\n", encoding="utf-8")
    settings = load({"TRIO_STREAM_MAX_STREAMS": "7"}, folder=tmp_path)
    assert (settings.max_streams, settings.disk_threads, settings.send_timeout) == (7, 6, 60.0)


def test_a_wrong_line_that_the_environment_overrides_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "trio_stream.toml").write_text("max_streams = 0\n", encoding="utf-8")
    assert load({"TRIO_STREAM_MAX_STREAMS": "7"}, folder=tmp_path).max_streams == 7


def test_config_names_the_file(tmp_path: Path, home: Path) -> None:
    (tmp_path / "trio_stream.toml").write_text("max_streams = 5\n", encoding="utf-8")
    (home / "mine.toml").write_text("disk_threads = 6\n", encoding="utf-8")
    for chosen in (str(home / "mine.toml"), "~/mine.toml", "../mine.toml"):
        settings = load({"TRIO_STREAM_CONFIG": chosen}, folder=tmp_path)
        assert (settings.max_streams, settings.disk_threads) == (10_000, 6)
    settings = load({"TRIO_STREAM_CONFIG": ""}, folder=tmp_path)
    assert (settings.max_streams, settings.disk_threads) == (5, 16)


def test_a_missing_chosen_file_is_an_error(tmp_path: Path) -> None:
    message = refusal({"TRIO_STREAM_CONFIG": "/nowhere/mine.toml"}, tmp_path)
    assert message == "TRIO_STREAM_CONFIG=/nowhere/mine.toml: there is no such file"


@pytest.mark.parametrize(
    ("content", "expected_text"),
    [
        (b"max_streams = \n", "line 1"),
        (b"max_streams\n", "line 1"),
        (b"videos = '/a'\nvideos = '/b'\n", "line 2"),
        (b"videos = '\xff'\n", "utf-8"),
        (b"\x00", "line 1"),
    ],
)
def test_an_error_names_a_file_that_is_not_toml(tmp_path: Path, content: bytes, expected_text: str) -> None:
    file = tmp_path / "trio_stream.toml"
    file.write_bytes(content)
    message = refusal({}, tmp_path)
    assert message.startswith(f"{file}: ")
    assert expected_text in message


def test_an_error_names_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "trio_stream.toml").mkdir()
    message = refusal({}, tmp_path)
    assert message == f"{tmp_path / 'trio_stream.toml'}: cannot be read (Is a directory)"


@pytest.mark.parametrize("variable", ["TRIO_STREAM_VIDEOS", "TRIO_STREAM_DATA"])
@pytest.mark.parametrize(
    ("text", "path"), [("~/films", "films"), ("films", "work/films"), ("../films", "work/../films")]
)
def test_paths_become_absolute(home: Path, variable: str, text: str, path: str) -> None:
    settings = load({variable: text})
    assert getattr(settings, variable.removeprefix("TRIO_STREAM_").lower()) == home / path


def test_data_inside_the_videos_is_refused(tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    (videos / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(videos / "sub")
    (tmp_path / "library").symlink_to(videos)
    apart = tmp_path / "videos-data"
    for root in (videos, tmp_path / "library"):
        for inside in (
            videos,
            videos / "data",
            videos / "a" / "b",
            tmp_path / "link" / "x",
            apart / "../videos/x",
        ):
            message = refusal({"TRIO_STREAM_VIDEOS": str(root), "TRIO_STREAM_DATA": str(inside)}, tmp_path)
            assert message.startswith(f"TRIO_STREAM_DATA={inside} is inside the videos ({root})")
        for outside in (apart, tmp_path, tmp_path / "a", videos / ".." / "b"):
            environ = {"TRIO_STREAM_VIDEOS": str(root), "TRIO_STREAM_DATA": str(outside)}
            assert load(environ, folder=tmp_path).data == outside


def test_default_data_is_one_folder_per_library(home: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "one")
    one, again, linked, other = (
        load({"TRIO_STREAM_VIDEOS": str(tmp_path / name)}).data for name in ("one", "./one/", "link", "other")
    )
    assert one == again == linked
    assert one != other
    assert one.parent == other.parent
    assert home in one.parents
    assert one.parent.name == "trio-stream"


def test_default_data_follows_the_system(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    base = home / "Library" / "Application Support" if sys.platform == "darwin" else tmp_path / "xdg"
    assert load({}).data.parent == base / "trio-stream"


def test_default_data_is_never_inside_the_videos(home: Path) -> None:
    for videos in (home, Path("/")):
        message = refusal({"TRIO_STREAM_VIDEOS": str(videos)}, home)
        assert message.startswith(f"TRIO_STREAM_DATA={default_data(videos)} is inside the videos")
        assert load({"TRIO_STREAM_VIDEOS": str(home), "TRIO_STREAM_DATA": "/data"}).data == Path("/data")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60))
def test_the_data_of_any_library_is_outside_it(name: str) -> None:
    videos = Path(f"/library/{name}")
    data = default_data(videos)
    assert data != videos
    assert videos not in data.parents
    assert re.fullmatch(r"[0-9a-f]{12}", data.name)


@pytest.mark.parametrize("case", ["missing", "a file", "a link to nothing"])
def test_videos_must_be_a_folder(tmp_path: Path, case: str) -> None:
    videos = tmp_path / "films"
    if case == "a file":
        videos.touch()
    elif case == "a link to nothing":
        videos.symlink_to(tmp_path / "nothing")
    settings = Settings(videos=videos)
    with pytest.raises(SettingsError, match="the folder of videos cannot be read") as raised:
        settings.check_videos()
    assert str(raised.value).startswith(f"TRIO_STREAM_VIDEOS={videos}: ")
    assert "set TRIO_STREAM_VIDEOS to another one" in str(raised.value)


def test_an_existing_folder_of_videos_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    Settings(videos=tmp_path, data=Path("/data")).check_videos()
    Settings(videos=tmp_path / "link", data=Path("/data")).check_videos()


def test_rows_has_all_settings_in_order() -> None:
    shown = rows(
        Settings(
            videos=Path("/v"),
            data=Path("/d"),
            send_timeout=2.5,
            cors_origins=frozenset({"http://b", "http://a"}),
        )
    )
    assert [row.variable for row in shown] == [
        f"TRIO_STREAM_{each.name.upper()}" for each in fields(Settings)
    ]
    expected = {
        "VIDEOS": ("/v", "./videos"),
        "DATA": ("/d", "the user's data directory"),
        "DATABASE_URL": ("sqlite", "sqlite"),
        "SCAN_INTERVAL": ("900", "900"),
        "ARTWORK_SHARE": ("0.25", "0.25"),
        "SEGMENT_CACHE": ("2 GiB", "2 GiB"),
        "MAX_STREAMS": ("10000", "10000"),
        "SEND_TIMEOUT": ("2.5", "60"),
        "DISK_THREADS": ("16", "16"),
        "CORS_ORIGINS": ("http://a, http://b", "none"),
        "LOG_FORMAT": ("console", "console"),
        "LOG_LEVEL": ("info", "info"),
    }
    values = {row.variable.removeprefix("TRIO_STREAM_"): (row.value, row.default) for row in shown}
    assert expected.items() <= values.items()
    for row in shown:
        assert row.description.endswith("."), row


def test_rows_mark_chosen_settings(tmp_path: Path) -> None:
    def chosen(environ: dict[str, str]) -> list[str]:
        return [row.variable for row in rows(load(environ, folder=tmp_path)) if row.chosen]

    assert chosen({}) == []
    for name, value in (("VIDEOS", "/v"), ("DATA", "/d"), ("MAX_STREAMS", "5"), ("CORS_ORIGINS", "*")):
        assert chosen({f"TRIO_STREAM_{name}": value}) == [f"TRIO_STREAM_{name}"]


def test_values_from_rows_can_be_loaded() -> None:
    settings = Settings(videos=Path("/v"), data=Path("/d"), cors_origins=frozenset({"http://b", "http://a"}))
    environ = {row.variable: row.value for row in rows(settings)}
    assert load(environ) == settings


def test_rows_hide_passwords() -> None:
    chosen = Settings(
        videos=Path("/v"), data=Path("/d"), database_url="postgresql://me:s3:cr@t@host:5432/films"
    )
    (row,) = (row for row in rows(chosen) if row.variable == "TRIO_STREAM_DATABASE_URL")
    assert row.value == "postgresql://me:***@host:5432/films"
    plain = Settings(videos=Path("/v"), data=Path("/d"), database_url="postgresql://host/films")
    assert "postgresql://host/films" in {row.value for row in rows(plain)}


def test_the_page_of_settings_lists_all_and_no_others() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    settings = {row.variable for row in rows(Settings())}
    mentioned = set(re.findall(r"\bTRIO_STREAM_[A-Z_]*[A-Z]\b", page))
    assert settings <= mentioned, "these settings are missing in docs/settings.md"
    assert mentioned <= settings | {f"TRIO_STREAM_{name}" for name in NOT_SETTINGS}, (
        "docs/settings.md mentions settings that do not exist"
    )
