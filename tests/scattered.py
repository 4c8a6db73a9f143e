"""Named bodies that consist of parts of a file, for tests and for the server that they request from."""

import random

from trio_stream.byte_ranges import ByteRange, ByteRanges
from trio_stream.http.bodies import Part

HEADER = b"moof" * 575


def video_ranges(size: int) -> ByteRanges:
    """A video track in long ranges, with audio between them."""
    return ByteRanges(tuple((at, 31_000) for at in range(0, size - 33_000, 33_000)))


def audio_ranges(size: int) -> ByteRanges:
    """A megabyte of short ranges, in the second half of the file."""
    return ByteRanges(tuple((at, 3_500) for at in range(size // 2, size // 2 + 300 * 4_000, 4_000)))


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
            return chance(random.Random(seed), size)
        case _:
            raise ValueError(f"no body {name}")


def chance(dice: random.Random, size: int) -> tuple[Part, ...]:
    """One to five parts of any kind and many sizes."""

    def length() -> int:
        return min(
            size, dice.choice([dice.randint(1, 400), dice.randint(1, 20_000), dice.randint(1, 400_000)])
        )

    def within() -> ByteRange:
        long = length()
        return dice.randint(0, size - long), long

    def part() -> Part:
        match dice.choice(["literal", "window", "gather", "scattered"]):
            case "literal":
                return dice.randbytes(dice.choice([4, 2_300, 8_192, 9_000, 70_000]))
            case "window":
                return ByteRanges((within(),))
            case "scattered":
                return ByteRanges(tuple(within() for _ in range(dice.randint(1, 40))))
            case _:
                offset = dice.randint(0, size // 2)
                ranges: list[ByteRange] = []
                long, gap = dice.choice([(350, 15_000), (8_000, 700), (32_000, 700)])
                while len(ranges) < 130 and offset + 2 * long < size:
                    ranges.append((offset, dice.randint(1, 2 * long)))
                    offset += sum((ranges[-1][1], dice.randint(0, gap)))
                return ByteRanges(tuple(ranges))

    return tuple(part() for _ in range(dice.randint(1, 5)))
