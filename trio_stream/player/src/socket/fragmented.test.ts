import { expect, it } from "vitest";
import { type Defaults, FragmentedSource, FragmentTooLarge } from "./fragmented";
import { box } from "./test-mp4";

const [SYNC, OTHER] = [0x02000000, 0x01010000]; // flags of a sample
const VIDEO: Defaults = { timescale: 10, start: { late: 0, cut: 0.2 }, duration: 10, flags: OTHER };
const AUDIO: Defaults = { timescale: 10, start: { late: 0, cut: 0 }, duration: 10, flags: SYNC };
const DEFAULTS = new Map([
  [1, VIDEO],
  [2, AUDIO],
]);

/** A `traf` with three samples of a track, starting at `time`. The fields for `tfhd` and `trun` begin with the box flags. */
const three = (track: number, time: number, [own = 0, ...tfhd]: number[] = [], [flags = 0, ...trun]: number[] = []) =>
  box("traf", box("tfhd", own, track, ...tfhd), box("tfdt", 0, time), box("trun", flags, 3, ...trun));

function bytesOf(...fragments: Uint8Array[][]): Uint8Array {
  const boxes = fragments.flatMap((tracks) => [box("moof", box("mfhd", 0, 1), ...tracks), box("mdat")]);
  return Uint8Array.from(boxes.flatMap((each) => [...each]));
}

it.each<[string, number[], number[], [from: number, to: number, sync: number | null]]>([
  ["from the index", [], [], [3.8, 6.8, null]],
  ["from tfhd", [0x28, 20, SYNC], [], [3.8, 9.8, 7.8]],
  ["from tfhd and of its first sample", [0x08, 20], [0x4, SYNC], [3.8, 9.8, 3.8]],
  ["of each sample", [0x20, SYNC], [0x500, 5, OTHER, 10, SYNC, 10, OTHER], [3.8, 6.3, 4.3]],
  ["of frames that are shown later", [], [0xc00, OTHER, 0, SYNC, 20, OTHER, 0], [3.8, 6.8, 6.8]],
])("a fragment uses the durations and flags %s", (_, tfhd, trun, [from, to, sync]) => {
  const bytes = bytesOf([three(1, 40, tfhd, trun)]);
  const [segment] = new FragmentedSource(1, DEFAULTS, 0, bytes.length, []).push(0, bytes);
  expect(segment?.from).toBeCloseTo(from);
  expect(segment?.to).toBeCloseTo(to);
  if (sync === null) expect(segment?.sync).toBe(null);
  else expect(segment?.sync).toBeCloseTo(sync);
});

it("playback can start at a fragment with a sync sample of the video", () => {
  const begin = (time: number) => [three(1, time, [], [0x4, SYNC]), three(2, time)];
  const bytes = bytesOf(begin(0), [three(1, 30), three(2, 30)], begin(60));
  const source = new FragmentedSource(1, DEFAULTS, 0, bytes.length, []);
  const segments = source.push(0, bytes);
  expect(segments.map(({ sync }) => sync)).toEqual([-0.2, null, 5.8]);
  expect(source.seek(5)).toBe(0);
  expect(source.seek(6)).toBe(bytes.length - bytesOf(begin(60)).length);
});

it("a fragment larger than browsers buffer is reported as such", () => {
  const size = 200_000_000;
  const moof = box("moof", box("mfhd", 0, 1), three(1, 0));
  const mdat = Uint8Array.from([...box("mdat", ...Array.from({ length: 8 }, () => 0))]);
  new DataView(mdat.buffer).setUint32(0, size);
  const bytes = Uint8Array.from([...moof, ...mdat]);
  const source = new FragmentedSource(1, DEFAULTS, 0, moof.length + size, []);
  expect(() => source.push(0, bytes)).toThrow(new FragmentTooLarge(size));
});
