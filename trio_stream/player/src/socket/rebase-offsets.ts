/**
 * Rewrites a movie fragment whose data offsets count from the start of the file (`base-data-offset` of tfhd), so that they
 * count from the fragment: Media Source supports only that (ISO BMFF Byte Stream Format section 4). ISO/IEC 14496-12
 * sections 8.8.7 and 8.8.8.
 */

import { concat } from "./concat";

const BASE = 0x000001; // tfhd: base-data-offset
const FROM_MOOF = 0x020000; // tfhd: default-base-is-moof
const OFFSET = 0x000001; // trun: data-offset

interface Box {
  type: string;
  bytes: Uint8Array;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The boxes in `bytes`, starting at `at`. */
function boxes(bytes: Uint8Array, at: number): Box[] {
  const view = viewOf(bytes);
  const found: Box[] = [];
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > bytes.length) throw new Error("a box is larger than its parent");
    found.push({ type: String.fromCharCode(...bytes.subarray(at + 4, at + 8)), bytes: bytes.subarray(at, at + size) });
    at += size;
  }
  return found;
}

function writeBox(type: string, ...content: Uint8Array[]): Uint8Array {
  const box = concat(new Uint8Array(8), ...content);
  viewOf(box).setUint32(0, box.length);
  for (let letter = 0; letter < 4; letter += 1) box[4 + letter] = type.charCodeAt(letter);
  return box;
}

const flagsOf = (bytes: Uint8Array) => viewOf(bytes).getUint32(8) & 0xffffff;

/** A copy of `box` with other flags. */
function withFlags(box: Uint8Array, flags: number): Uint8Array {
  const copy = concat(box);
  const view = viewOf(copy);
  view.setUint32(8, (view.getUint32(8) & 0xff000000) | flags);
  return copy;
}

/** A copy of `trun` whose data begins `offset` bytes after the start of the fragment. */
function withDataOffset(trun: Uint8Array, offset: number): Uint8Array {
  const flags = flagsOf(trun);
  const fieldSize = (flags & OFFSET) !== 0 ? 4 : 0;
  const field = new Uint8Array(4);
  viewOf(field).setInt32(0, offset);
  return writeBox("trun", withFlags(trun, flags | OFFSET).subarray(8, 16), field, trun.subarray(16 + fieldSize));
}

/** `moof`, from offset `start` of the file, rewritten; unchanged if none of its offsets count from the start of the file. */
export function rebaseOffsets(moof: Uint8Array, start: number): Uint8Array {
  const parts = boxes(moof, 8).map((box) => ({ ...box, inside: box.type === "traf" ? boxes(box.bytes, 8) : [] }));
  const counts = ({ type, bytes }: Box) => type === "tfhd" && (flagsOf(bytes) & BASE) !== 0;
  if (!parts.some(({ inside }) => inside.some(counts))) return moof;

  const write = (shift: number) =>
    writeBox(
      "moof",
      ...parts.map(({ type, bytes, inside }) => {
        const tfhd = inside.find((box) => box.type === "tfhd")?.bytes;
        if (type !== "traf" || tfhd === undefined) return bytes;
        const flags = flagsOf(tfhd);
        const own = (flags & BASE) !== 0;
        const base = own ? Number(viewOf(tfhd).getBigUint64(16)) - start : 0;
        let first = true;
        return writeBox(
          "traf",
          ...inside.map((box) => {
            if (box.type === "tfhd" && own)
              return writeBox("tfhd", withFlags(tfhd, (flags & ~BASE) | FROM_MOOF).subarray(8, 16), tfhd.subarray(24));
            if (box.type !== "trun") return box.bytes;
            const hasOffset = (flagsOf(box.bytes) & OFFSET) !== 0;
            const follows = !hasOffset && !(first && own); // its data follows that of the run before
            first = false;
            if (follows) return box.bytes;
            return withDataOffset(box.bytes, base + (hasOffset ? viewOf(box.bytes).getInt32(16) : 0) + shift);
          }),
        );
      }),
    );
  // If the fragment gets shorter, the data behind it moves closer by as much.
  return write(write(0).length - moof.length);
}
