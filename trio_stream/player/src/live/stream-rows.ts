/** The streams as table rows. A row keeps its position while its stream lasts, and its rate is smoothed to be readable. */

import type { Stream } from "../api/client";

export interface Row {
  stream: Stream;
  /** Bytes per second, smoothed; null until there are two measurements. */
  rate: number | null;
  /** The time of the last event with this stream, in milliseconds. */
  seen: number;
}

const TIME_CONSTANT = 3; // seconds after which the shown rate has followed a change by about two thirds

/** The smoothed rate after `seconds` in which the measured rate was `now`. */
export function smoothed(before: number | null, now: number, seconds: number): number {
  if (before === null) return now;
  const weight = 1 - Math.exp(-seconds / TIME_CONSTANT);
  const value = before + (now - before) * weight;
  return value < 1 ? 0 : value;
}

/** The rows of `streams` at `time`: existing rows keep their order, new ones follow. */
export function rowsOf(before: readonly Row[], streams: readonly Stream[], time: number): Row[] {
  const now = new Map(streams.map((stream) => [stream.id, stream]));
  const rows: Row[] = [];
  for (const row of before) {
    const stream = now.get(row.stream.id);
    if (stream === undefined) continue;
    now.delete(stream.id);
    rows.push(updatedRow(row, stream, time));
  }
  for (const stream of now.values()) {
    const rate = stream.age >= 1 ? stream.bytes_sent / stream.age : null;
    rows.push({ stream, rate, seen: time });
  }
  return rows;
}

function updatedRow(row: Row, stream: Stream, time: number): Row {
  const seconds = (time - row.seen) / 1_000;
  if (seconds <= 0) return { ...row, stream };
  // A stream keeps its count after a seek; only after a restart of the server could it be lower.
  const sent = Math.max(0, stream.bytes_sent - row.stream.bytes_sent);
  return { stream, rate: smoothed(row.rate, sent / seconds, seconds), seen: time };
}

/** The fraction of the requested bytes that was sent, from 0 to 1. */
export function sentFraction({ start, stop, bytes_sent }: Pick<Stream, "start" | "stop" | "bytes_sent">): number {
  return stop > start ? Math.min(1, bytes_sent / (stop - start)) : 0;
}
