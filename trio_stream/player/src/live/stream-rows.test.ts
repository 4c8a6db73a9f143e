import { describe, expect, it } from "vitest";
import type { Stream } from "../api/client";
import { rowsOf, sentFraction, smoothed } from "./stream-rows";

const stream = (id: string, bytes_sent = 0, age = 0): Stream => ({
  id,
  owner: "127.0.0.1",
  name: "a.mp4",
  transport: "http",
  start: 0,
  stop: 1_000,
  bytes_sent,
  chunks_sent: 1,
  age,
  buffered: 0,
  peak_buffer: 0,
});

const ids = (rows: readonly { stream: Stream }[]) => rows.map((row) => row.stream.id);

describe("rows", () => {
  it("keep their order, in whatever order the server lists them", () => {
    const before = rowsOf([], [stream("a"), stream("b"), stream("c")], 0);
    const after = rowsOf(before, [stream("d"), stream("c"), stream("a")], 1_000);
    expect(ids(after)).toEqual(["a", "c", "d"]);
  });

  it("have no rate at first, unless they are older than a second", () => {
    const [young, old] = rowsOf([], [stream("a", 500, 0.2), stream("b", 8_000, 4)], 0);
    expect(young?.rate).toBeNull();
    expect(old?.rate).toBe(2_000);
  });

  it("approach a steady rate within a few seconds", () => {
    let rows = rowsOf([], [stream("a", 0, 0)], 0);
    for (let second = 1; second <= 12; second += 1) rows = rowsOf(rows, [stream("a", second * 100, second)], second * 1_000);
    expect(rows[0]?.rate).toBeCloseTo(100);
    for (let second = 13; second <= 15; second += 1) rows = rowsOf(rows, [stream("a", 1_200, second)], second * 1_000);
    expect(rows[0]?.rate).toBeGreaterThan(30);
    expect(rows[0]?.rate).toBeLessThan(45);
  });

  it("keep their rate if they arrive twice with the same time", () => {
    const rows = rowsOf([], [stream("a", 4_000, 2)], 0);
    expect(rowsOf(rows, [stream("a", 4_000, 2)], 0)[0]?.rate).toBe(2_000);
  });
});

it.each([
  [null, 50, 1, 50],
  [0, 0, 1, 0],
  [0.9, 0, 1, 0],
])("a rate of %s that becomes %s for %s s is %s", (before, now, seconds, expected) => {
  expect(smoothed(before, now, seconds)).toBe(expected);
});

it.each([
  [{ start: 0, stop: 100, bytes_sent: 25 }, 0.25],
  [{ start: 50, stop: 100, bytes_sent: 80 }, 1],
  [{ start: 0, stop: 0, bytes_sent: 0 }, 0],
])("the sent fraction of %o is %s", (stream, expected) => {
  expect(sentFraction(stream)).toBe(expected);
});
