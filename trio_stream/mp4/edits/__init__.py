"""What edit lists make of tracks: which samples are presented, in which order, and when."""
