import { expect, it } from "vitest";
import { buildSampleTable, decodeTime, lastSyncSample, presentationTime, syncSampleFor, trackStartOf } from "./sample-table";

// Two GOPs of four frames; the third and the fourth frame of each are shown before the second.
const samples = [0, 1, 2, 3, 4, 5, 6, 7].map((index) => ({
  offset: index * 100,
  size: 100,
  dts: index * 10,
  cts: index * 10 + [2, 32, 2, 2][index % 4]!,
  duration: 10,
  is_sync: index % 4 === 0,
  description_index: 0,
}));
const table = buildSampleTable(1, 10, { late: 0, cut: 0.2 }, samples);

it.each([
  [0, -0.2],
  [3, 2.8],
  [8, 7.8],
])("sample %s is decoded at %s s", (index, expected) => {
  expect(decodeTime(table, index)).toBeCloseTo(expected);
});

it.each([
  [0, 0],
  [3.9, 0],
  [4, 4],
  [7, 4],
  [100, 4],
])("to show %s s, decoding starts at sample %s", (time, expected) => {
  expect(syncSampleFor(table, time)).toBe(expected);
});

it("a sample is shown later than it is decoded", () => {
  expect(presentationTime(table, 0)).toBeCloseTo(0);
  expect(presentationTime(table, 5)).toBeCloseTo(8);
});

it("a track that begins late is decoded and shown late", () => {
  const later = buildSampleTable(1, 10, { late: 3, cut: 0.2 }, samples);
  expect([decodeTime(later, 0), decodeTime(later, 8), presentationTime(later, 5)]).toEqual([2.8, 10.8, 11]);
  expect([syncSampleFor(later, 6.9), syncSampleFor(later, 7)]).toEqual([0, 4]);
});

it.each([
  [0, 8, 4],
  [0, 4, 0],
  [4, 5, 4],
  [5, 8, null],
])("the last sync sample from %s up to, but not including, %s is %s", (first, end, expected) => {
  expect(lastSyncSample(table, first, end)).toBe(expected);
});

it.each([
  [[], 0, 0],
  [[{ segment_duration: 5_000, media_time: 1_024 }], 0, 0.1],
  [[{ segment_duration: 500, media_time: -1 }, { segment_duration: 5_000, media_time: 1_024 }], 0.5, 0.1],
  [[{ segment_duration: 500, media_time: -1 }], 0.5, 0],
])("with the edits %o, a track begins %s s late and %s s are cut off", (edits, late, cut) => {
  expect(trackStartOf(edits, 10_240, 1_000)).toEqual({ late, cut });
});
