"""Bodies that consist of parts of a file, by name: for tests, and for the server that sends them."""

import random

from trio_stream.byte_ranges import ByteRange, ByteRanges
from trio_stream.http.bodies import Part

HEADER = b"moof" * 575


def video_ranges(size: int) -> ByteRanges:
    """A video track in long ranges, with audio between them."""
    return ByteRanges(tuple((offset, 31_000) for offset in range(0, size - 33_000, 33_000)))


def audio_ranges(size: int) -> ByteRanges:
    """A megabyte of short ranges, in the second half of the file."""
    offsets = range(size // 2, size // 2 + 300 * 4_000, 4_000)
    return ByteRanges(tuple((offset, 3_500) for offset in offsets))


def body(name: str, size: int) -> tuple[Part, ...]:
    """The parts of a file of `size` bytes that have this name."""
    match name.split("-"):
        case ["film"]:
            return HEADER, video_ranges(size)
        case ["sound"]:
            return HEADER, audio_ranges(size)
        case ["sounds"]:
            return (HEADER, audio_ranges(size)) * 40
        case ["little", "gather"]:
            return HEADER, ByteRanges(audio_ranges(size).ranges[:3])
        case ["little", "window"]:
            return HEADER, ByteRanges(((5_000, 10_000),))
        case ["chance", seed]:
            return random_body(random.Random(seed), size)
        case _:
            raise ValueError(f"no body {name}")


def random_body(chance: random.Random, size: int) -> tuple[Part, ...]:
    """A body of one to five parts, of random kinds and sizes."""

    def length() -> int:
        return min(
            size,
            chance.choice([chance.randint(1, 400), chance.randint(1, 20_000), chance.randint(1, 400_000)]),
        )

    def byte_range() -> ByteRange:
        count = length()
        return chance.randint(0, size - count), count

    def part() -> Part:
        match chance.choice(["literal", "window", "gather", "scattered"]):
            case "literal":
                return chance.randbytes(chance.choice([4, 2_300, 8_192, 9_000, 70_000]))
            case "window":
                return ByteRanges((byte_range(),))
            case "scattered":
                return ByteRanges(tuple(byte_range() for _ in range(chance.randint(1, 40))))
            case _:
                offset = chance.randint(0, size // 2)
                ranges: list[ByteRange] = []
                mean, gap = chance.choice([(350, 15_000), (8_000, 700), (32_000, 700)])
                while len(ranges) < 130 and offset + 2 * mean < size:
                    ranges.append((offset, chance.randint(1, 2 * mean)))
                    offset += sum((ranges[-1][1], chance.randint(0, gap)))
                return ByteRanges(tuple(ranges))

    return tuple(part() for _ in range(chance.randint(1, 5)))
