"""The jobs `texts` and `subtitle`: subtitles in a file and beside one, as WebVTT."""
