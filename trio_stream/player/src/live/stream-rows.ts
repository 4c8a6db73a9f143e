/** The streams as rows of a table: each keeps its place while it lasts, and its rate is steady enough to be read. */

import type { Stream } from "../api/client";

export interface Row {
  stream: Stream;
  /** Bytes a second, smoothed; null until there are two looks at it. */
  rate: number | null;
  /** Milliseconds of the clock that told of it last. */
  seen: number;
}

const TIME_CONSTANT = 3; // seconds after which a change of the rate has come through to two thirds

/** A rate after `seconds` in which it was `now`, of a figure that forgets slowly. */
export function smoothed(before: number | null, now: number, seconds: number): number {
  if (before === null) return now;
  const weight = 1 - Math.exp(-seconds / TIME_CONSTANT);
  const value = before + (now - before) * weight;
  return value < 1 ? 0 : value;
}

/** The rows of `streams` at `time`, those there were before in their places, what is new below them. */
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
  // After a seek a stream counts on; only a server that began anew could count less.
  const sent = Math.max(0, stream.bytes_sent - row.stream.bytes_sent);
  return { stream, rate: smoothed(row.rate, sent / seconds, seconds), seen: time };
}

/** The part of what was asked for that has gone, 0 to 1. */
export function sentFraction({ start, stop, bytes_sent }: Pick<Stream, "start" | "stop" | "bytes_sent">): number {
  return stop > start ? Math.min(1, bytes_sent / (stop - start)) : 0;
}
