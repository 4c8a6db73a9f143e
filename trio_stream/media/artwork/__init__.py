"""The job `artwork`: a poster with its blur hash, and trickplay sheets.

Only keyframes are decoded, one frame is in memory at a time, and the number of sheets is limited however long a video
claims to be. A damaged file gives as much artwork as possible, and the result says what is missing and why.
"""
