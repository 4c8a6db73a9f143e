import { describe, expect, it } from "vitest";
import { movedSubtitles } from "./subtitle-position";

const moved = (...cues: [line: number | "auto", snapToLines: boolean, lines?: number][]) =>
  movedSubtitles(
    cues.map(([line, snapToLines, lines = 1]) => ({ line, snapToLines, lines })),
    0.2,
    0.05,
  ).map((position) => (position === null ? null : Math.round(Number(position.line))));

describe("subtitles under the controls", () => {
  it("do not move at the bottom", () => {
    expect(moved(["auto", true], [-1, true], [-3, true], [14, true])).toEqual([null, null, null, null]);
  });

  it("move down by the covered part of the top, stacked", () => {
    expect(moved([0, true])).toEqual([20]);
    expect(moved([2, true])).toEqual([30]);
    expect(moved([0, true, 2], [0, true], ["auto", true], [1, true])).toEqual([20, 30, null, 35]);
  });

  it("keep their order if they have positions in percent, and none is covered", () => {
    expect(moved([0, false], [5, false], [50, false], [100, false])).toEqual([20, 24, 60, 100]);
  });
});
