import { expect, it } from "vitest";
import { lastSync, shiftOf, shownAt, syncAt, tableOf, timeAt } from "./table";

// Two groups of four pictures; the third and the fourth of each are shown before the second.
const table = tableOf(
  1,
  10,
  0.2,
  [0, 1, 2, 3, 4, 5, 6, 7].map((place) => ({
    offset: place * 100,
    size: 100,
    dts: place * 10,
    cts: place * 10 + [2, 32, 2, 2][place % 4]!,
    duration: 10,
    is_sync: place % 4 === 0,
    description_index: 0,
  })),
);

it.each([
  [0, -0.2],
  [3, 2.8],
  [8, 7.8],
])("sample %s is decoded at %s s", (place, expected) => {
  expect(timeAt(table, place)).toBeCloseTo(expected);
});

it.each([
  [0, 0],
  [3.9, 0],
  [4, 4],
  [7, 4],
  [100, 4],
])("at %s s one begins with sample %s", (time, expected) => {
  expect(syncAt(table, time)).toBe(expected);
});

it("a sample is shown later than it is decoded", () => {
  expect(shownAt(table, 0)).toBeCloseTo(0);
  expect(shownAt(table, 5)).toBeCloseTo(8);
  expect(shownAt({ ...table, shift: -3 }, 5)).toBeCloseTo(8.2); // or 11.2, in some browsers
});

it.each([
  [0, 8, 4],
  [0, 4, 0],
  [4, 5, 4],
  [5, 8, null],
])("of the samples from %s and before %s, the last sync sample is %s", (first, end, expected) => {
  expect(lastSync(table, first, end)).toBe(expected);
});

it.each([
  [[], 0],
  [[{ segment_duration: 5_000, media_time: 1_024 }], 0.1],
  [[{ segment_duration: 500, media_time: -1 }, { segment_duration: 5_000, media_time: 0 }], -0.5],
])("the edits %o shift by %s s", (edits, expected) => {
  expect(shiftOf(edits, 10_240, 1_000)).toBeCloseTo(expected);
});
