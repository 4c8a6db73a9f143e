import { describe, expect, it } from "vitest";
import { droppableUntil, expiredUntil, gapEnd, holds, intersection, type Ranges, reach, shouldWait } from "./buffer-policy";

it.each<[Ranges, number, number]>([
  [[], 3, 3],
  [[[0, 10]], 3, 10],
  [[[5, 10]], 3, 3],
  [[[0, 10], [10.2, 20]], 3, 20],
  [[[0, 10], [11, 20]], 3, 10],
  [[[0, 10]], 12, 12],
])("with %o buffered, playback continues from %s to %s", (ranges, time, expected) => {
  expect(reach(ranges, time)).toBe(expected);
});

it.each<[Ranges, number, boolean]>([
  [[[2, 10]], 1.9, true],
  [[[2, 10]], 1, false],
  [[[2, 10]], 10, false],
  [[], 0, false],
])("whether %o contains %s: %s", (ranges, time, expected) => {
  expect(holds(ranges, time)).toBe(expected);
});

it.each<[Ranges, Ranges, Ranges]>([
  [[[0, 10]], [[3, 12]], [[3, 10]]],
  [[[0, 4], [6, 10]], [[3, 8]], [[3, 4], [6, 8]]],
  [[[0, 4]], [[4, 8]], []],
  [[[0, 4]], [], []],
])("the intersection of %o and %o is %o", (one, other, expected) => {
  expect(intersection(one, other)).toEqual(expected);
});

it.each<[Ranges, number, number | null]>([
  [[[3, 10]], 0, 3],
  [[[0, 4], [6, 10]], 4.5, 6],
  [[[0.2, 10]], 0, null],
  [[[0, 4]], 5, null],
  [[], 0, null],
])("with %o buffered, playback jumps from %s to %s", (ranges, time, expected) => {
  expect(gapEnd(ranges, time)).toBe(expected);
});

describe("the server", () => {
  it.each([
    ["is not paused while little is buffered", false, 4, false, false],
    ["is paused when bytes arrive and more than a little is buffered", false, 12, false, true],
    ["stays paused while bytes in transit arrive", true, 15, false, true],
    ["resumes on a timer when there is room for more", true, 15, true, false],
    ["stays paused on a timer while enough is buffered", true, 21, true, true],
    ["is not paused by the timer alone", false, 21, true, false],
    ["resumes when everything was watched", true, 0, true, false],
  ])("%s", (_, before, ahead, tick, expected) => {
    expect(shouldWait(before, ahead, tick)).toBe(expected);
  });
});

const often = Array.from({ length: 400 }, (_, index) => 2 * index);
const seldom = [0, 100, 200];

it.each<[Ranges, readonly number[], number, number | null]>([
  [[], often, 100, null],
  [[[0, 60]], often, 35, null],
  [[[0, 60]], often, 41, null], // fewer than ten seconds would be removed
  [[[0, 60]], often, 43, 11.9],
  [[[30, 60]], often, 59, null],
  [[[0, 120]], seldom, 99, null], // the current frame depends on the first one
  [[[0, 120]], seldom, 129, null],
  [[[0, 150]], seldom, 130, 99.9],
  [[[100, 180]], [100], 195, null], // while loading towards 195
  [[[100, 180]], [], 195, null],
])("with %o buffered, sync samples at %o and time %s, watched data is removed up to %s", (ranges, syncs, time, expected) => {
  expect(expiredUntil(ranges, syncs, time)).toEqual(expected);
});

it.each<[Ranges, readonly number[], number, number | null]>([
  [[[0, 60]], often, 10, 7.9],
  [[[9, 600]], often, 10, null],
  [[], often, 10, null],
  [[[0, 120]], seldom, 100.5, null],
  [[[0, 120]], seldom, 101, 99.9],
  [[[100, 180]], [100], 195, null],
])("with %o buffered, sync samples at %o and time %s, a full buffer is emptied up to %s", (ranges, syncs, time, expected) => {
  expect(droppableUntil(ranges, syncs, time)).toEqual(expected);
});
