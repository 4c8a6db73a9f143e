/** A tiny MP4 for tests. Parsers can read its boxes; its video and audio cannot be decoded. */

import { concat } from "./concat";

const SECONDS = 30;
const FPS = 5;
const FRAME_SIZE = 2_000; // bytes of a frame
const AUDIO_SIZE = 300; // bytes of a second of audio
const KEYFRAME_INTERVAL = 10; // frames from one sync sample to the next

const number = (value: number, length = 4) =>
  Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** (length - 1 - index)) % 256);
const letters = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const zeros = (length: number) => new Uint8Array(length);

export function box(type: string, ...content: (Uint8Array | number)[]): Uint8Array {
  const inside = concat(...content.map((each) => (typeof each === "number" ? number(each) : each)));
  return concat(number(inside.length + 8), letters(type), inside);
}

const MATRIX = concat(...[0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map((each) => number(each)));

interface TestTrack {
  id: number;
  handler: "vide" | "soun";
  entry: Uint8Array;
  sizes: number[];
  delta: number;
  sync: number[] | null;
  offsets: number[];
}

const TIMESCALE = 1_000;

function trak({ id, handler, entry, sizes, delta, sync, offsets }: TestTrack): Uint8Array {
  const duration = sizes.length * delta;
  const tables = [
    box("stsd", 0, 1, entry),
    box("stts", 0, 1, sizes.length, delta),
    ...(sync === null ? [] : [box("stss", 0, sync.length, ...sync)]),
    box("stsc", 0, 1, 1, 1, 1),
    box("stsz", 0, 0, sizes.length, ...sizes),
    box("stco", 0, offsets.length, ...offsets),
  ];
  const header = handler === "vide" ? box("vmhd", 1, zeros(8)) : box("smhd", 0, 0);
  const data = box("dinf", box("dref", 0, 1, box("url ", 1)));
  return box(
    "trak",
    box("tkhd", 3, 0, 0, id, 0, duration, zeros(16), MATRIX, 0, 0),
    box(
      "mdia",
      box("mdhd", 0, 0, 0, TIMESCALE, duration, 0x55c40000),
      box("hdlr", 0, 0, letters(handler), zeros(13)),
      box("minf", header, data, box("stbl", ...tables)),
    ),
  );
}

export interface TestMp4 {
  bytes: Uint8Array<ArrayBuffer>;
  /** The bytes of the sample with index `index` in the track with this id. */
  sample: (id: number, index: number) => Uint8Array;
}

export type Layout = "interleaved" | "one after the other" | "index at the end";

/** Track 1 is 30 s of video at 5 frames per second; track 2 is 30 s of audio, in samples of one second. */
export function testMp4(layout: Layout = "interleaved"): TestMp4 {
  const frames = Array.from({ length: SECONDS * FPS }, (_, index) => new Uint8Array(FRAME_SIZE).fill(index % 251));
  const audio = Array.from({ length: SECONDS }, (_, index) => new Uint8Array(AUDIO_SIZE).fill(200 - index));
  const order: [id: number, index: number][] = [];
  for (let second = 0; second < SECONDS; second += 1) {
    for (let each = 0; each < FPS; each += 1) order.push([1, second * FPS + each]);
    if (layout !== "one after the other") order.push([2, second]);
  }
  if (layout === "one after the other") audio.forEach((_, index) => order.push([2, index]));
  const sample = (id: number, index: number) => (id === 1 ? frames : audio)[index] ?? zeros(0);

  const ftyp = box("ftyp", letters("isom"), 0, letters("isom"));
  const moov = (begin: number) => {
    const offsets: [number[], number[]] = [[], []];
    let at = begin;
    for (const [id, index] of order) {
      offsets[id - 1]?.push(at);
      at += sample(id, index).length;
    }
    const avc1 = box("avc1", zeros(6), number(1, 2), zeros(16), number(64, 2), number(36, 2), zeros(50));
    const mp4a = box("mp4a", zeros(6), number(1, 2), zeros(8), number(2, 2), number(16, 2), 0, 48_000 * 65_536);
    const sync = frames.flatMap((_, index) => (index % KEYFRAME_INTERVAL === 0 ? [index + 1] : []));
    const delta = TIMESCALE / FPS;
    return box(
      "moov",
      box("mvhd", 0, 0, 0, TIMESCALE, SECONDS * TIMESCALE, 0x10000, zeros(12), MATRIX, zeros(24), 3),
      trak({ id: 1, handler: "vide", entry: avc1, sizes: frames.map((each) => each.length), delta, sync, offsets: offsets[0] }),
      trak({ id: 2, handler: "soun", entry: mp4a, sizes: audio.map((each) => each.length), delta: TIMESCALE, sync: null, offsets: offsets[1] }),
    );
  };
  const mdat = box("mdat", ...order.map(([id, index]) => sample(id, index)));
  const bytes =
    layout === "index at the end"
      ? concat(ftyp, mdat, moov(ftyp.length + 8))
      : concat(ftyp, moov(ftyp.length + moov(0).length + 8), mdat);
  return { bytes, sample };
}
