import { describe, expect, it } from "vitest";
import { isGap, passedOver, passOver, placeOf, type Segment } from "./damage";

/** Segments of so many seconds each; those with a "-" are gaps. */
const track = (gaps: string, duration = 4): Segment[] =>
  [...gaps].map((each, place) => ({ start: place * duration, duration, tagList: each === "-" ? [["GAP"]] : [], gap: each === "-" }));

const shown = (segments: readonly Segment[]) => segments.map((each) => (isGap(each) ? "-" : ".")).join("");

describe("a segment that does not play", () => {
  it.each([
    ["alone", "......", 2, "..-..."],
    ["behind a gap", "..-...", 3, "..--.."],
    ["behind four", "----......", 4, "------...."],
    ["behind eight", "--------......", 8, "-----------..."],
    ["behind gaps that are elsewhere", "----.....", 6, "----..-.."],
    ["near the end", "----.", 4, "-----"],
    ["a second time", "..-...", 2, "..-..."],
  ])("%s", (_, before, at, after) => {
    const segments = track(before);
    expect(passOver(segments, at)).toBe(after.includes("."));
    expect(shown(segments)).toBe(after);
    expect(segments.map(({ gap }) => gap)).toEqual(segments.map(isGap));
  });

  it("costs few steps where the hole is large, and little of what lies behind", () => {
    const segments = track(".".repeat(1200));
    let steps = 0;
    for (let at = 100; at < 400; steps += 1) {
      passOver(segments, at);
      at = segments.findIndex((each, place) => place >= at && !isGap(each));
    }
    expect(steps).toBeLessThan(30);
    expect(segments.filter(isGap).length).toBeLessThan(300 * 1.25);
  });

  it("leaves nothing to play in the end, whatever fails", () => {
    const segments = track("......");
    const left = segments.map((_, at) => passOver(segments, at));
    expect(left).toEqual([true, true, true, true, false, false]);
  });
});

it.each([
  [0, 0],
  [3.8, 0],
  [3.95, 1],
  [9, 2],
  [99, 2],
])("%d s is in the segment at %d", (seconds, place) => {
  expect(placeOf(track("..."), seconds)).toBe(place);
});

it.each([
  ["nothing", track("..."), track("..."), 0],
  ["pictures", track(".-."), track("..."), 4],
  ["the same in both", track(".-."), track(".-."), 4],
  ["a part of it in both", track(".-.."), track(".-.", 5), 6],
  ["one behind the other", track("-..."), track(".-.."), 8],
])("tells the seconds without %s", (_, pictures, sound, seconds) => {
  expect(passedOver(pictures, sound)).toBe(seconds);
});
