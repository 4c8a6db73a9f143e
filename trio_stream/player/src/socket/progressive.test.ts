import { createFile, MP4BoxBuffer } from "mp4box";
import { describe, expect, it } from "vitest";
import { concat } from "./concat";
import type { Segment } from "./messages";
import { IndexReader, type Mp4Index } from "./mp4-index";
import type { SegmentSource } from "./progressive";
import { type Layout, testMp4 } from "./test-mp4";

/** Reads the index as the worker does. */
function read(bytes: Uint8Array<ArrayBuffer>, step = 10_000): Mp4Index {
  const reader = new IndexReader();
  let at = 0;
  for (let tries = 0; tries < 1_000; tries += 1) {
    const found = reader.push(at, bytes.slice(at, at + step), bytes.length);
    if (typeof found !== "number") return found;
    at = found;
  }
  throw new Error("the index was not found");
}

/** Feeds the file to `source` in steps, with its seeks. Returns the segments and the number of seeks. */
function drain(source: SegmentSource, bytes: Uint8Array, at: number, step: number): { segments: Segment[]; seeks: number } {
  const segments: Segment[] = [];
  let seeks = 0;
  while (!source.done && at < bytes.length) {
    const part = bytes.subarray(at, at + step);
    segments.push(...source.push(at, part));
    at += part.length;
    const target = source.seekTarget(at);
    if (target !== null) {
      source.restart();
      at = target;
      seeks += 1;
    }
  }
  return { segments, seeks };
}

/** A fragment as another parser reads it. */
function parsed(data: ArrayBuffer) {
  const file = createFile(true);
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(data.slice(0), 0));
  const traf = file.moofs[0]?.trafs[0];
  const trun = traf?.truns[0];
  if (traf === undefined || trun === undefined) throw new Error("the fragment has no track run");
  return {
    track: traf.tfhd.track_id,
    time: traf.tfdt.baseMediaDecodeTime,
    sizes: trun.sample_size,
    flags: trun.sample_flags,
    payload: new Uint8Array(data, trun.data_offset),
  };
}

const samplesOf = (segments: readonly Segment[], track: number) =>
  concat(...segments.filter((each) => each.track === track).map((each) => parsed(each.data).payload));

describe.each<Layout>(["interleaved", "one after the other", "index at the end"])("a file, %s", (shape) => {
  const { bytes, sample } = testMp4(shape);
  const contents = read(bytes);

  it("has two tracks and a duration", () => {
    expect(contents.tracks.map(({ id, kind }) => [id, kind])).toEqual([
      [1, "video"],
      [2, "audio"],
    ]);
    expect(contents.duration).toBe(30);
  });

  it.each([64, 1_000, 7_777, 1_000_000])("is complete in steps of %s bytes", (step) => {
    const source = contents.source([1, 2]);
    const { segments } = drain(source, bytes, source.seek(0), step);
    expect(source.done).toBe(true);
    for (const [id, count] of [
      [1, 150],
      [2, 30],
    ] as const)
      expect(samplesOf(segments, id)).toEqual(concat(...Array.from({ length: count }, (_, index) => sample(id, index))));
  });

  it("starts after a seek at the sync sample before it", () => {
    const source = contents.source([1, 2]);
    const { segments } = drain(source, bytes, source.seek(11), 5_000);
    const [video, audio] = [1, 2].map((id) => segments.find((each) => each.track === id));
    expect(video?.from).toBe(10);
    expect(audio?.from).toBe(11);
    expect(parsed(video?.data ?? new ArrayBuffer(0)).flags[0]).toBe(0x02000000);
    expect(segments.at(-1)?.to).toBe(30);
  });

  it("returns only the requested tracks", () => {
    const source = contents.source([2]);
    const { segments } = drain(source, bytes, source.seek(0), 4_096);
    expect(new Set(segments.map((each) => each.track))).toEqual(new Set([2]));
    expect(source.done).toBe(true);
  });
});

it("fragments are about a second long and contain their start time", () => {
  const { bytes } = testMp4();
  const source = read(bytes).source([1, 2]);
  const { segments } = drain(source, bytes, source.seek(0), 10_000);
  const video = segments.filter((each) => each.track === 1);
  expect(video).toHaveLength(30);
  expect(video.map((each) => parsed(each.data).time)).toEqual(Array.from({ length: 30 }, (_, index) => index * 1_000));
  expect(video[3]).toMatchObject({ from: 3, to: 4, sync: null });
  expect(video[4]).toMatchObject({ from: 4, to: 5, sync: 4 });
  const audio = segments.filter((each) => each.track === 2);
  expect(audio[3]).toMatchObject({ from: 3, to: 4, sync: 3 });
});

it("the reader seeks to an index at the end of the file", () => {
  const { bytes } = testMp4("index at the end");
  const reader = new IndexReader();
  const found = reader.push(0, bytes.slice(0, 1_000), bytes.length);
  expect(found).toBeGreaterThan(300_000);
});

describe("a fragmented file", () => {
  const { bytes } = testMp4();
  const plain = read(bytes);
  const progressive = plain.source([1]);
  const { segments } = drain(progressive, bytes, progressive.seek(0), 50_000);
  const init = new Uint8Array(plain.tracks[0]?.init ?? new ArrayBuffer(0));
  const whole = concat(init, ...segments.map((each) => new Uint8Array(each.data)));
  const contents = read(whole, init.length + 100);

  it.each([100, 3_000, 1_000_000])("is passed on unchanged, in steps of %s bytes", (step) => {
    const source = contents.source([1]);
    const passed = drain(source, whole, source.seek(0), step);
    const spans = (all: readonly Segment[]) => all.map(({ from, to, sync }) => [from, to, sync]);
    expect(spans(passed.segments)).toEqual(spans(segments));
    expect(concat(...passed.segments.map((each) => new Uint8Array(each.data)))).toEqual(whole.subarray(init.length));
    expect(source.done).toBe(true);
  });

  it("seeks back to a fragment read before at which playback can start", () => {
    const source = contents.source([1]);
    drain(source, whole, source.seek(0), 5_000);
    const again = drain(source, whole, source.seek(13.5), 5_000);
    expect(again.segments[0]?.from).toBe(12);
    expect(again.segments.at(-1)?.to).toBe(30);
  });

  it("has no duration just because part of it has arrived", () => {
    expect(read(whole, init.length + 20_000).duration).toBe(null);
  });

  it("is rejected if it contains other data", () => {
    const source = contents.source([1]);
    const noise = new Uint8Array(1_000).fill(0xee);
    expect(() => source.push(source.seek(0), noise)).toThrow("no valid MP4 box");
  });
});
