import { describe, expect, it } from "vitest";
import type { VideoDetails } from "../api/client";
import { parseTime, playedTo, startOf } from "./position";

describe("a time in a URL", () => {
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

describe("where a video starts", () => {
  const at = (position: number, watched = false) => ({
    position,
    duration: 100,
    watched,
    plays: 0,
    updated: "2026-01-01T00:00:00+00:00",
  });
  it.each([
    ["never started", null, null, 0],
    ["hardly started", at(3), null, 0],
    ["in the middle", at(40), null, 40],
    ["almost finished", at(96), null, 0],
    ["started again after it was watched", at(40, true), null, 40],
    ["where the URL says", at(40), 70, 70],
    ["at the beginning, if the URL says so", at(40), 0, 0],
    ["never after its end", null, 5000, 99],
  ])("%s", (_, playhead, requested, start) => {
    expect(startOf({ playhead, duration: 100, facts: null }, requested)).toBe(start);
  });

  it.each([
    ["where the URL says", null, 20, 20],
    ["never in the missing part", null, 70, 0],
    ["where it was stopped", at(20), null, 20],
    ["at the beginning, once all of it was seen", at(30), null, 0],
  ])("with only 30 s in the file: %s", (_, playhead, requested, start) => {
    const info = { until: 30 } as VideoDetails["facts"];
    expect(startOf({ playhead, duration: 100, facts: info }, requested)).toBe(start);
  });
});

describe("the position to save", () => {
  const state = (currentTime: number, ended: boolean, playbackRate = 1) => ({ currentTime, ended, playbackRate });
  it.each([
    ["is where the player is", null, state(40, false), 39, 40],
    ["is the end after the end", null, state(100, true), 99.8, 100],
    ["is the end after fast playback", null, state(100, true, 4), 96, 100],
    ["is not an end to which the player jumped", null, state(100, true), 30, 30],
    ["is never in the missing part", 30, state(100, true), 99.8, 30],
    ["is never after the end of what is in the file", 30, state(60, false), 60, 30],
  ])("%s", (_, until, player, seen, position) => {
    expect(playedTo(until, player, seen)).toBe(position);
  });
});
