/** The server's measurements of the last ten minutes: one column per figure, oldest first. */

import type { components } from "../api/schema";

export type Sample = components["schemas"]["LiveSample"];
export type Figure = Exclude<keyof Sample, "time">;
type Column = (number | null)[];
export type Samples = { times: number[] } & Record<Figure, Column>;

export const FIGURES = ["cpu", "memory", "bytes_per_second", "streams"] as const;
export const SPAN = 600_000; // milliseconds
const SPANS = [120_000, 300_000]; // for servers that started more recently
const GAP = 4_000; // milliseconds between two samples that count as a gap

export const noSamples: Samples = { times: [], cpu: [], memory: [], bytes_per_second: [], streams: [] };

/** `samples` with one more. Samples older than the span are dropped, and a gap is marked where some are missing. */
export function addSample(samples: Samples, sample: Sample): Samples {
  const last = samples.times.at(-1);
  if (last !== undefined && sample.time <= last) return samples;
  const gap = last !== undefined && sample.time - last > GAP;
  const first = samples.times.findIndex((time) => time >= sample.time - SPAN);
  const from = first < 0 ? samples.times.length : first;
  const column = (figure: Figure) => [...samples[figure].slice(from), ...(gap ? [null] : []), sample[figure]];
  return {
    times: [...samples.times.slice(from), ...(gap && last !== undefined ? [last + 1_000] : []), sample.time],
    cpu: column("cpu"),
    memory: column("memory"),
    bytes_per_second: column("bytes_per_second"),
    streams: column("streams"),
  };
}

/** The time range of the charts, in milliseconds: if the server started a minute ago, not nine empty minutes. */
export function chartSpan({ times }: Samples): number {
  const age = (times.at(-1) ?? 0) - (times[0] ?? 0);
  return SPANS.find((span) => age <= span) ?? SPAN;
}

/** The samples of a history from the server, with gaps marked. */
export function fromHistory(history: Samples): Samples {
  return history.times.reduce<Samples>((samples, time, index) => {
    const [last, result] = [samples.times.at(-1), { ...samples }];
    if (last !== undefined && time - last > GAP) {
      result.times.push(last + 1_000);
      for (const figure of FIGURES) result[figure].push(null);
    }
    result.times.push(time);
    for (const figure of FIGURES) result[figure].push(history[figure][index] ?? null);
    return result;
  }, structuredClone(noSamples));
}

const WINDOW = 5; // samples

/** The average of each value and the samples just before it, because data is sent in bursts. */
export function movingAverage(column: Column): Column {
  return column.map((value, index) => {
    if (value === null) return null;
    let [sum, count] = [0, 0];
    for (let earlier = index; earlier > index - WINDOW && earlier >= 0; earlier -= 1) {
      const other = column[earlier];
      if (other == null) break;
      sum += other;
      count += 1;
    }
    return sum / count;
  });
}
