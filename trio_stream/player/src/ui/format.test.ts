import { describe, expect, it } from "vitest";
import { bitsPerSecond, bytes, clock, fraction, span } from "./format";

describe("numbers", () => {
  it.each([
    [0, "0:00"],
    [7.9, "0:07"],
    [754, "12:34"],
    [3723, "1:02:03"],
    [Number.NaN, "0:00"],
    [-5, "0:00"],
  ])("%d seconds are %s", (seconds, text) => expect(clock(seconds)).toBe(text));

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1500, "1.5 kB"],
    [999_999, "1 MB"],
    [12_345_678, "12.3 MB"],
    [4.2e12, "4.2 TB"],
    [9e16, "90,000 TB"],
  ])("%d bytes are %s", (count, text) => expect(bytes("en", count)).toBe(text));

  it("are formatted for the language", () => {
    expect(bitsPerSecond("pt-BR", 2_520_000)).toBe("2,52 Mbit/s");
    expect(span("en", 200)).toBe("3 min");
    expect(fraction("24000/1001")).toBeCloseTo(23.976);
    expect(fraction("25")).toBe(25);
  });
});
