import { describe, expect, it } from "vitest";
import { enough, holds, past, type Ranges, reach, room } from "./policy";

it.each<[Ranges, number, number]>([
  [[], 3, 3],
  [[[0, 10]], 3, 10],
  [[[5, 10]], 3, 3],
  [[[0, 10], [10.2, 20]], 3, 20],
  [[[0, 10], [11, 20]], 3, 10],
  [[[0, 10]], 12, 12],
])("with %o it plays on from %s up to %s", (ranges, time, expected) => {
  expect(reach(ranges, time)).toBe(expected);
});

it.each<[Ranges, number, boolean]>([
  [[[2, 10]], 1.9, true],
  [[[2, 10]], 1, false],
  [[[2, 10]], 10, false],
  [[], 0, false],
])("of %o, what is at %s is there: %s", (ranges, time, expected) => {
  expect(holds(ranges, time)).toBe(expected);
});

describe("the server waits", () => {
  it.each([
    ["not while there is little", false, 4, false, false],
    ["once bytes came and there is more than little", false, 12, false, true],
    ["on, while what was under way comes", true, 15, false, true],
    ["no more when the clock strikes and there is room for a sip", true, 15, true, false],
    ["on when the clock strikes and there is enough", true, 21, true, true],
    ["not because the clock strikes", false, 21, true, false],
    ["no more when all was watched", true, 0, true, false],
  ])("%s", (_, before, ahead, tick, expected) => {
    expect(enough(before, ahead, tick)).toBe(expected);
  });
});

it.each<[Ranges, number, ReturnType<typeof past>]>([
  [[], 100, null],
  [[[0, 60]], 35, null],
  [[[0, 60]], 41, [0, 11]],
  [[[30, 60]], 59, null],
])("of %o at %s, long past is %o", (ranges, time, expected) => {
  expect(past(ranges, time)).toEqual(expected);
});

it.each<[Ranges, number, ReturnType<typeof room>]>([
  [[[0, 60]], 10, [0, 9]],
  [[[9, 600]], 10, null],
  [[], 10, null],
])("of %o at %s, what gives way is %o", (ranges, time, expected) => {
  expect(room(ranges, time)).toEqual(expected);
});
