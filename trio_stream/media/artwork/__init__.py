"""The job `artwork`: a poster with its blur hash, and sheets of preview tiles.

Only keyframes are decoded, one frame is in memory at a time, and the number of sheets is bounded however long a video
claims to be. A damaged file gives the pictures that can be had of it, and the result says what is missing and why.
"""
