"""The FFmpeg that the scripts use to make videos."""

import contextlib
import os
import shutil
import subprocess


def find_ffmpeg() -> str:
    """TRIO_STREAM_FFMPEG if set, else the first with an H.264 encoder: the system's, or the one pip installed."""
    if wished := os.environ.get("TRIO_STREAM_FFMPEG"):
        if not shutil.which(wished):
            raise SystemExit(f"TRIO_STREAM_FFMPEG={wished} cannot be run.")
        return wished
    candidates = [shutil.which("ffmpeg")]
    with contextlib.suppress(ImportError, RuntimeError):
        import imageio_ffmpeg  # noqa: PLC0415 - only where there may be no other

        candidates.append(imageio_ffmpeg.get_ffmpeg_exe())
    for candidate in candidates:
        if (
            candidate
            and b"libx264"
            in subprocess.run([candidate, "-encoders"], capture_output=True, check=False).stdout
        ):
            return candidate
    raise SystemExit(
        "No FFmpeg with the H.264 encoder x264 was found. Install ffmpeg, or set TRIO_STREAM_FFMPEG to one."
    )
