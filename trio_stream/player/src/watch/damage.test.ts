import { describe, expect, it } from "vitest";
import { isGap, segmentIndexAt, skippedSeconds, skipSegment, type Segment } from "./damage";

/** Segments of `duration` seconds each; a "-" is a gap. */
const track = (gaps: string, duration = 4): Segment[] =>
  [...gaps].map((each, index) => ({ start: index * duration, duration, tagList: each === "-" ? [["GAP"]] : [], gap: each === "-" }));

const shown = (segments: readonly Segment[]) => segments.map((each) => (isGap(each) ? "-" : ".")).join("");

describe("a segment that cannot be played", () => {
  it.each([
    ["alone", "......", 2, "..-..."],
    ["after a gap", "..-...", 3, "..--.."],
    ["after four", "----......", 4, "------...."],
    ["after eight", "--------......", 8, "-----------..."],
    ["with gaps elsewhere", "----.....", 6, "----..-.."],
    ["near the end", "----.", 4, "-----"],
    ["a second time", "..-...", 2, "..-..."],
  ])("%s", (_, before, at, after) => {
    const segments = track(before);
    expect(skipSegment(segments, at)).toBe(after.includes("."));
    expect(shown(segments)).toBe(after);
    expect(segments.map(({ gap }) => gap)).toEqual(segments.map(isGap));
  });

  it("takes few steps to pass a large hole, and loses little after it", () => {
    const segments = track(".".repeat(1200));
    let steps = 0;
    for (let at = 100; at < 400; steps += 1) {
      skipSegment(segments, at);
      at = segments.findIndex((each, index) => index >= at && !isGap(each));
    }
    expect(steps).toBeLessThan(30);
    expect(segments.filter(isGap).length).toBeLessThan(300 * 1.25);
  });

  it("leaves nothing to play if every segment fails", () => {
    const segments = track("......");
    const left = segments.map((_, at) => skipSegment(segments, at));
    expect(left).toEqual([true, true, true, true, false, false]);
  });
});

it.each([
  [0, 0],
  [3.8, 0],
  [3.95, 1],
  [9, 2],
  [99, 2],
])("%d s is in segment %d", (seconds, index) => {
  expect(segmentIndexAt(track("..."), seconds)).toBe(index);
});

it.each([
  ["nothing", track("..."), track("..."), 0],
  ["video", track(".-."), track("..."), 4],
  ["the same in both tracks", track(".-."), track(".-."), 4],
  ["overlapping parts", track(".-.."), track(".-.", 5), 6],
  ["one after the other", track("-..."), track(".-.."), 8],
])("counts the skipped seconds: %s", (_, video, audio, seconds) => {
  expect(skippedSeconds(video, audio)).toBe(seconds);
});
