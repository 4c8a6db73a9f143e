"""From the boxes of a file to the tracks there are and their samples."""
