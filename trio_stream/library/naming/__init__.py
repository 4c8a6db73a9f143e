"""What the names of files say, as pure rules: order, families of one film, subtitles, and what has moved."""
