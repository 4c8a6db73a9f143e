"""Scale decoded frames to small upright images, with the aspect, rotation and brightness that a player shows.

Invariant: all work is done at the small size (only the first scaling reads the whole frame), in one thread. The result
is full-range 4:2:0 in BT.601, the YCbCr of JPEG (JFIF 1.02).
"""

import struct
from fractions import Fraction

from av import FFmpegError
from av.codec.context import CodecContext
from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorTrc
from av.video.stream import VideoStream

# An HDR frame is converted to linear light, to the primaries of BT.709, and through a curve that keeps values up to
# half of the reference white (203 cd/m2, ITU-R BT.2408) and compresses brighter ones, up to 1000 cd/m2, below white. It
# has 16 bits per channel, where 1 is 1000 cd/m2.
_VALUE = "clip(val/maxval,0,1)"
_FROM_PQ = (  # SMPTE ST 2084, equation 4.1
    f"st(0,pow({_VALUE},1/78.84375));"
    "st(1,pow(max(ld(0)-0.8359375,0)/(18.8515625-18.6875*ld(0)),1/0.1593017578125));"
    "maxval*clip(ld(1)*10,0,1)"
)
_FROM_HLG = (  # ITU-R BT.2100 table 5, with the system gamma of 1.2 applied per channel
    f"st(0,{_VALUE});"
    "st(1,if(lte(ld(0),0.5),ld(0)*ld(0)/3,(exp((ld(0)-0.55991073)/0.17883277)+0.28466892)/12));"
    "maxval*pow(ld(1),1.2)"
)
_TO_709 = (  # ITU-R BT.2087, the inverse
    "rr=1.6605:rg=-0.5876:rb=-0.0728:gr=-0.1246:gg=1.1329:gb=-0.0083:br=-0.0182:bg=-0.1006:bb=1.1187"
)
_TO_GAMMA = (
    f"st(0,{_VALUE}/0.203);st(1,max(ld(0)-0.5,0)/4.426);"
    "st(2,if(lte(ld(0),0.5),ld(0),0.5+0.5*1.127*ld(1)/(ld(1)+0.127)));"
    "maxval*pow(min(ld(2),1),1/2.2)"
)

_HDR: dict[int, str] = {ColorTrc.SMPTE2084: _FROM_PQ, ColorTrc.ARIB_STD_B67: _FROM_HLG}


def display_size(stream: VideoStream, frame: VideoFrame) -> tuple[float, float]:
    """Return the size at which a player shows the frame, in pixels, stretched (never shrunk) and turned."""
    pixel_aspect = float(stream.sample_aspect_ratio or 1)
    if not 0.01 < pixel_aspect < 100:
        pixel_aspect = 1.0
    width, height = frame.width * max(1, pixel_aspect), frame.height / min(1, pixel_aspect)
    return (height, width) if turn(frame)[0] else (width, height)


def turn(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Return how to turn the frame: whether to swap rows and columns, then to flip it sideways, upside down.

    It comes from its display matrix (ISO/IEC 14496-12 section 8.3.2), rounded to quarter turns.
    """
    try:
        matrix = struct.unpack("=9i", bytes(frame.side_data[Type.DISPLAYMATRIX]))
    except (KeyError, struct.error):
        return False, False, False
    a, b, _, c, d = matrix[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


class Scaler:
    """Scales the frames of one video to upright images of `width` x `height` pixels."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._graph: Graph | None = None
        self._shape: object = None

    def shrink(self, frame: VideoFrame) -> VideoFrame | None:
        """Scale `frame`; None if that fails (an unsupported format)."""
        shape = frame.width, frame.height, frame.format.name, frame.color_trc, frame.colorspace, turn(frame)
        try:
            if self._graph is None or shape != self._shape:
                self._graph, self._shape = self._build(frame), shape
            frame.pts = None
            self._graph.vpush(frame)
            return self._graph.vpull()
        except (FFmpegError, ValueError):
            self._graph = None
            return None

    def _build(self, frame: VideoFrame) -> Graph:
        transpose, sideways, upside_down = turn(frame)
        width, height = self._size[::-1] if transpose else self._size
        area = f"w={width}:h={height}:flags=area"
        last = "out_color_matrix=bt601:out_range=pc"
        linear = _HDR.get(frame.color_trc)
        steps: list[tuple[str, str]] = []
        if linear:
            steps += [("scale", area), ("format", "gbrp16"), ("lutrgb", _for_each(linear))]
            steps += [("colorchannelmixer", _TO_709), ("lutrgb", _for_each(_TO_GAMMA)), ("scale", last)]
        else:
            steps.append(("scale", f"{area}:{last}"))
        steps.append(("format", "yuv420p"))
        if transpose:
            steps.append(("transpose", "dir=cclock_flip"))  # swaps rows and columns and does nothing else
        if sideways:
            steps.append(("hflip", ""))
        if upside_down:
            steps.append(("vflip", ""))
        return chain(frame, *steps)


def chain(frame: VideoFrame, *steps: tuple[str, str]) -> Graph:
    """Build a graph of these filters in sequence, for frames like this one, in one thread."""
    graph = Graph()
    graph.threads = 1
    nodes = [graph.add_buffer(template=frame, time_base=Fraction(1, 1000))]
    nodes += [graph.add(name, arguments or None) for name, arguments in steps]
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes)
    graph.configure(auto_buffer=False)
    return graph


def _for_each(expression: str) -> str:
    return ":".join(f"{channel}='{expression}'" for channel in "rgb")


def jpeg(image: VideoFrame, quantiser: int) -> bytes:
    """Encode the image as a JPEG file; `quantiser` from 2 (best) to 31."""
    encoder: VideoCodecContext = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = image.width, image.height
    encoder.pix_fmt = "yuv420p"
    encoder.color_range = 2
    encoder.time_base = Fraction(1, 25)
    encoder.qmin = encoder.qmax = quantiser
    encoder.thread_count = 1
    image.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(image), *encoder.encode(None)))


def pixels(image: VideoFrame, width: int, height: int, kind: str) -> bytes:
    """Scale the image to `width` x `height` and return its pixels, row by row: `kind` is "gray" or "rgb24"."""
    small = image.reformat(width, height, kind, interpolation="AREA", threads=1)
    plane = small.planes[0]
    length = width * (3 if kind == "rgb24" else 1)
    data = memoryview(plane)
    return b"".join(data[row * plane.line_size : row * plane.line_size + length] for row in range(height))
