"""The jobs `outline`, `init` and `segment`: tracks of any container as fragmented MP4, nothing coded anew."""
