/** The last ten minutes, as the server told of them: a column for each figure, the oldest first. */

import type { components } from "../api/schema";

export type Sample = components["schemas"]["LiveSample"];
export type Figure = Exclude<keyof Sample, "time">;
type Column = (number | null)[];
export type Samples = { times: number[] } & Record<Figure, Column>;

export const FIGURES = ["cpu", "memory", "bytes_per_second", "streams"] as const;
export const SPAN = 600_000; // milliseconds
const SPANS = [120_000, 300_000]; // of what is younger
const GAP = 4_000; // milliseconds without a sample, after which nobody knows what was

export const noSamples: Samples = { times: [], cpu: [], memory: [], bytes_per_second: [], streams: [] };

/** `samples` and one more. What is older than the span goes, and where samples are missing there is a hole. */
export function addSample(samples: Samples, sample: Sample): Samples {
  const last = samples.times.at(-1);
  if (last !== undefined && sample.time <= last) return samples;
  const hole = last !== undefined && sample.time - last > GAP;
  const first = samples.times.findIndex((time) => time >= sample.time - SPAN);
  const from = first < 0 ? samples.times.length : first;
  const column = (figure: Figure) => [...samples[figure].slice(from), ...(hole ? [null] : []), sample[figure]];
  return {
    times: [...samples.times.slice(from), ...(hole && last !== undefined ? [last + 1_000] : []), sample.time],
    cpu: column("cpu"),
    memory: column("memory"),
    bytes_per_second: column("bytes_per_second"),
    streams: column("streams"),
  };
}

/** How much of it a picture shows, in milliseconds: of a server that began a minute ago not nine minutes of nothing. */
export function chartSpan({ times }: Samples): number {
  const age = (times.at(-1) ?? 0) - (times[0] ?? 0);
  return SPANS.find((span) => age <= span) ?? SPAN;
}

/** A history as the server tells it, with its holes. */
export function fromHistory(history: Samples): Samples {
  return history.times.reduce<Samples>((samples, time, place) => {
    const [last, holes] = [samples.times.at(-1), { ...samples }];
    if (last !== undefined && time - last > GAP) {
      holes.times.push(last + 1_000);
      for (const figure of FIGURES) holes[figure].push(null);
    }
    holes.times.push(time);
    for (const figure of FIGURES) holes[figure].push(history[figure][place] ?? null);
    return holes;
  }, structuredClone(noSamples));
}

const WINDOW = 5; // samples

/** Each value as the mean of the last seconds up to it: what is sent in jumps is read as a flow. */
export function movingAverage(column: Column): Column {
  return column.map((value, place) => {
    if (value === null) return null;
    let [sum, count] = [0, 0];
    for (let each = place; each > place - WINDOW && each >= 0; each -= 1) {
      const other = column[each];
      if (other == null) break;
      sum += other;
      count += 1;
    }
    return sum / count;
  });
}
