"""Find the FFmpeg that the scripts use to make videos."""

import contextlib
import os
import shutil
import subprocess


def find_ffmpeg() -> str:
    """Return TRIO_STREAM_FFMPEG if it is set, else the system's or pip's FFmpeg, whichever has an H.264 encoder."""
    if chosen := os.environ.get("TRIO_STREAM_FFMPEG"):
        if not shutil.which(chosen):
            raise SystemExit(f"TRIO_STREAM_FFMPEG={chosen} cannot be run.")
        return chosen
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
