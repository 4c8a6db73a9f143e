import { describe, expect, it } from "vitest";
import { addSample, chartSpan, fromHistory, movingAverage, noSamples, type Sample, SPAN } from "./samples";

const sample = (time: number, value = 1): Sample => ({
  time,
  cpu: value,
  memory: value,
  bytes_per_second: value,
  streams: value,
});

describe("samples", () => {
  it("are kept for ten minutes", () => {
    let samples = noSamples;
    for (let time = 0; time <= SPAN + 5_000; time += 1_000) samples = addSample(samples, sample(time));
    expect(samples.times[0]).toBe(5_000);
    expect(samples.times).toHaveLength(SPAN / 1_000 + 1);
    expect(samples.cpu).toHaveLength(samples.times.length);
  });

  it("that arrive twice are stored once", () => {
    const samples = addSample(noSamples, sample(1_000));
    expect(addSample(samples, sample(1_000))).toBe(samples);
  });

  it("have a gap where some are missing", () => {
    const samples = addSample(addSample(noSamples, sample(1_000)), sample(60_000));
    expect(samples.times).toEqual([1_000, 2_000, 60_000]);
    expect(samples.memory).toEqual([1, null, 1]);
  });

  it("from a history have the same gaps", () => {
    const columns = [3, 4, 5];
    const history = { times: [0, 1_000, 9_000], cpu: columns, memory: columns, bytes_per_second: columns, streams: columns };
    expect(fromHistory(history)).toMatchObject({ times: [0, 1_000, 2_000, 9_000], cpu: [3, 4, null, 5] });
    expect(noSamples.times).toEqual([]);
  });
});

it("a moving average covers a few seconds and stops at gaps", () => {
  expect(movingAverage([0, 10, 20])).toEqual([0, 5, 10]);
  expect(movingAverage([10, 10, 10, 10, 10, 60])).toEqual([10, 10, 10, 10, 10, 20]);
  expect(movingAverage([10, null, 4])).toEqual([10, null, 4]);
});

it.each([
  [[], 120_000],
  [[7_000], 120_000],
  [[0, 120_000], 120_000],
  [[0, 121_000], 300_000],
  [[0, 301_000], SPAN],
  [[0, SPAN], SPAN],
])("a chart of samples at %j shows %i ms", (times, span) => {
  expect(chartSpan({ ...noSamples, times })).toBe(span);
});
