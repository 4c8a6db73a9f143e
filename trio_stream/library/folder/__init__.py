"""The folder of videos as the file system has it: walking it, opening in it safely, hearing of its changes."""
