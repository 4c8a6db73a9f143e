"""Files of media as FFmpeg opens them: what is in them, their clocks, keyframes, parts and ends."""
