/** What the page shows of the transfer: the throughput of the last minute, its state, and the server's stream. */

import { useEffect, useRef, useState } from "react";
import type { Row } from "../live/stream-rows";
import type { Status } from "./playback";

export const MINUTE = 60_000; // milliseconds shown in the chart
const STEP = 500; // milliseconds between two values
const AVERAGED_STEPS = 6; // steps in the moving average

export interface Throughput {
  times: number[];
  /** Bits per second. */
  values: number[];
}

/** Throughput from samples of the byte count; each value is the average over the last few steps. */
export function throughputOf(samples: readonly (readonly [time: number, received: number])[]): Throughput {
  const throughput: Throughput = { times: [], values: [] };
  samples.forEach(([time, received], index) => {
    const [since, before] = samples[Math.max(0, index - AVERAGED_STEPS)] ?? [time, received];
    if (time <= since) return;
    throughput.times.push(time);
    throughput.values.push(Math.max(0, ((received - before) * 8_000) / (time - since)));
  });
  return throughput;
}

export function useThroughput(received: number): Throughput {
  const now = useRef(received);
  now.current = received;
  const samples = useRef<[number, number][]>([]);
  const [throughput, setThroughput] = useState<Throughput>({ times: [], values: [] });
  useEffect(() => {
    const timer = setInterval(() => {
      const time = Date.now();
      const oldest = time - MINUTE - 2 * STEP * AVERAGED_STEPS;
      samples.current = [...samples.current.filter(([each]) => each > oldest), [time, now.current]];
      setThroughput(throughputOf(samples.current));
    }, STEP);
    return () => clearInterval(timer);
  }, []);
  return throughput;
}

export type TransferState = "connecting" | "flowing" | "enough" | "person" | "whole" | "closed";

/** The state of the transfer. */
export function transferState(status: Pick<Status, "open" | "held" | "byViewer" | "closed">): TransferState {
  const { open, held, byViewer, closed } = status;
  if (closed !== null) return closed.normal ? "whole" : "closed";
  if (!open) return "connecting";
  if (!held) return "flowing";
  return byViewer ? "person" : "enough";
}

/** Our own stream among those of the server: same video, and closest to our socket in age. */
export function ownStream(rows: readonly Row[], name: string, age: number): Row | null {
  const candidates = rows.filter(({ stream }) => stream.transport === "websocket" && stream.name === name);
  const difference = (row: Row) => Math.abs(row.stream.age - age);
  return candidates.reduce<Row | null>(
    (best, row) => (best === null || difference(row) < difference(best) ? row : best),
    null,
  );
}
