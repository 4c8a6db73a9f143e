"""What is made of the videos in the background, and the files that hold it."""
