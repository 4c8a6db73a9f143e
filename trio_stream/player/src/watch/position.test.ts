import { describe, expect, it } from "vitest";
import { parseTime, startOf } from "./position";

describe("a time in an address", () => {
  it.each([
    ["90", 90],
    ["90.5", 90.5],
    ["90s", 90],
    ["1m30s", 90],
    ["1h2m3s", 3723],
    ["1:30", 90],
    ["1:02:03", 3723],
    ["0", 0],
    ["", null],
    ["-1", null],
    ["soon", null],
    ["1:2", null],
    [null, null],
  ])("%s is %s", (text, seconds) => {
    expect(parseTime(text)).toBe(seconds);
  });
});

describe("where a video begins", () => {
  const at = (position: number, watched = false) => ({
    position,
    duration: 100,
    watched,
    plays: 0,
    updated: "2026-01-01T00:00:00+00:00",
  });
  it.each([
    ["never begun", null, null, 0],
    ["hardly begun", at(3), null, 0],
    ["in the middle", at(40), null, 40],
    ["as good as over", at(96), null, 0],
    ["begun again after it was watched", at(40, true), null, 40],
    ["where the address says", at(40), 70, 70],
    ["at the beginning, where the address says", at(40), 0, 0],
    ["never beyond its end", null, 5000, 99],
  ])("%s", (_, playhead, asked, start) => {
    expect(startOf({ playhead, duration: 100 }, asked)).toBe(start);
  });
});
