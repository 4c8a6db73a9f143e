import { describe, expect, it } from "vitest";
import type { VideoDetails } from "../api/client";
import { parseTime, playedTo, startOf } from "./position";

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
    expect(startOf({ playhead, duration: 100, facts: null }, asked)).toBe(start);
  });

  it.each([
    ["where the address says", null, 20, 20],
    ["never at what is missing", null, 70, 0],
    ["where it was stopped", at(20), null, 20],
    ["at the beginning, once all that is there was seen", at(30), null, 0],
  ])("of which only 30 s are there: %s", (_, playhead, asked, start) => {
    const facts = { until: 30 } as VideoDetails["facts"];
    expect(startOf({ playhead, duration: 100, facts }, asked)).toBe(start);
  });
});

describe("what was played", () => {
  const state = (currentTime: number, ended: boolean, playbackRate = 1) => ({ currentTime, ended, playbackRate });
  it.each([
    ["is where the player is", null, state(40, false), 39, 40],
    ["is all of it at the end", null, state(100, true), 99.8, 100],
    ["is all of it at the end of fast playing", null, state(100, true, 4), 96, 100],
    ["is no end to which the player leapt", null, state(100, true), 30, 30],
    ["is never what is missing", 30, state(100, true), 99.8, 30],
    ["is never behind the end of what is there", 30, state(60, false), 60, 30],
  ])("%s", (_, until, player, seen, told) => {
    expect(playedTo(until, player, seen)).toBe(told);
  });
});
