"""The `esds` box, which says how audio is coded: nested descriptors.

    ES_Descriptor (tag 3) holds DecoderConfigDescriptor (tag 4) holds DecoderSpecificInfo (tag 5).

A length has seven bits in each of up to four bytes. Sources: ISO/IEC 14496-1 section 7.2.6; 14496-14 section 5.6.
"""

import struct

from trio_stream.mp4.boxes import Malformed, full_box


def read_esds(data: bytes, path: str) -> tuple[int, bytes]:
    """objectTypeIndication and DecoderSpecificInfo of an `esds` in the box `path`; (0, b"") if they are missing.

    Raises `Malformed`.
    """
    at, object_type = 4, 0
    try:
        while at < len(data):
            tag, at = data[at], at + 1
            length = 0
            for _ in range(4):
                byte, at = data[at], at + 1
                length = length << 7 | byte & 0x7F
                if byte < 0x80:
                    break
            if tag == 3:
                flags = data[at + 2]
                at += 5 if flags & 0x80 else 3
                if flags & 0x40:
                    at += 1 + data[at]
                at += 2 if flags & 0x20 else 0
            elif tag == 4:
                object_type = data[at]
                at += 13
            elif tag == 5:
                return object_type, data[at : at + length]
            else:
                break
    except IndexError:
        raise Malformed(f"{path}/esds", "it ends too early") from None
    return object_type, b""


def write_esds(object_type: int, config: bytes = b"") -> bytes:
    """An `esds` box with this objectTypeIndication and DecoderSpecificInfo; an empty `config` is left out."""
    specific = _descriptor(5, config) if config else b""
    decoder = struct.pack(">BB11x", object_type, 0x15) + specific
    return full_box("esds", 0, 0, _descriptor(3, bytes(3), _descriptor(4, decoder), _descriptor(6, b"\2")))


def _descriptor(tag: int, *content: bytes) -> bytes:
    data = b"".join(content)
    size = len(data)
    return bytes((tag, *(0x80 | size >> shift & 0x7F for shift in (21, 14, 7)), size & 0x7F)) + data
