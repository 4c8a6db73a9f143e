import { expect, it } from "vitest";
import { ownStream, throughputOf, transferState } from "./throughput";

const row = (name: string, transport: "http" | "websocket", age: number) => ({
  stream: { id: `${name} ${age}`, owner: "", name, transport, start: 0, stop: 1, bytes_sent: 0, chunks_sent: 0, age, buffered: 0, peak_buffer: 0 },
  rate: null,
  seen: 0,
});

it("our own stream is the one with our video and our age", () => {
  const rows = [row("a", "http", 5), row("a", "websocket", 60), row("a", "websocket", 4), row("b", "websocket", 5)];
  expect(ownStream(rows, "a", 5)?.stream.id).toBe("a 4");
  expect(ownStream(rows, "c", 5)).toBeNull();
});

it("throughput is a moving average", () => {
  const samples = Array.from({ length: 9 }, (_, index) => [index * 500, index === 0 ? 0 : 1_000] as const);
  expect(throughputOf(samples)).toEqual({
    times: [500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000],
    values: [16_000, 8_000, 16_000 / 3, 4_000, 3_200, 8_000 / 3, 0, 0],
  });
});

it.each([
  [{ open: false, held: false, byViewer: false, closed: null }, "connecting"],
  [{ open: true, held: false, byViewer: false, closed: null }, "flowing"],
  [{ open: true, held: true, byViewer: false, closed: null }, "enough"],
  [{ open: true, held: true, byViewer: true, closed: null }, "person"],
  [{ open: false, held: false, byViewer: false, closed: { code: 1000, reason: "", normal: true } }, "whole"],
  [{ open: false, held: false, byViewer: true, closed: { code: 1006, reason: "", normal: false } }, "closed"],
])("%o is %s", (status, expected) => {
  expect(transferState(status)).toBe(expected);
});
