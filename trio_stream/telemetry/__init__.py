"""What the server says of itself.

logs.py        one line an event, for people or for programs
rates.py       a rate over a sliding window (pure)
process.py     memory, processor, descriptors: sampled once a second
"""
