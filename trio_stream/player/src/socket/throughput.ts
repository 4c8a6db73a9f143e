/** What flows, as the page shows it: the rate over the last minute, the state in a word, the server's side. */

import { useEffect, useRef, useState } from "react";
import type { Row } from "../live/stream-rows";
import type { Status } from "./playback";

export const MINUTE = 60_000; // milliseconds that are drawn
const STEP = 500; // milliseconds between two values
const AVERAGED_STEPS = 6; // steps over which the mean is taken

export interface Throughput {
  times: number[];
  /** Bits a second. */
  values: number[];
}

/** The rates between looks at how many bytes there are; each is the mean of the last few. */
export function throughputOf(looks: readonly (readonly [time: number, received: number])[]): Throughput {
  const flow: Throughput = { times: [], values: [] };
  looks.forEach(([time, received], place) => {
    const [since, before] = looks[Math.max(0, place - AVERAGED_STEPS)] ?? [time, received];
    if (time <= since) return;
    flow.times.push(time);
    flow.values.push(Math.max(0, ((received - before) * 8_000) / (time - since)));
  });
  return flow;
}

export function useThroughput(received: number): Throughput {
  const now = useRef(received);
  now.current = received;
  const looks = useRef<[number, number][]>([]);
  const [flow, setFlow] = useState<Throughput>({ times: [], values: [] });
  useEffect(() => {
    const timer = setInterval(() => {
      const time = Date.now();
      looks.current = [...looks.current.filter(([each]) => each > time - MINUTE - 2 * STEP * AVERAGED_STEPS), [time, now.current]];
      setFlow(throughputOf(looks.current));
    }, STEP);
    return () => clearInterval(timer);
  }, []);
  return flow;
}

export type TransferState = "connecting" | "flowing" | "enough" | "person" | "whole" | "closed";

/** Where the bytes stand, in a word. */
export function transferState({ open, held, byViewer: byViewer, closed }: Pick<Status, "open" | "held" | "byViewer" | "closed">): TransferState {
  if (closed !== null) return closed.normal ? "whole" : "closed";
  if (!open) return "connecting";
  if (!held) return "flowing";
  return byViewer ? "person" : "enough";
}

/** The stream that is ours among those of the server: of the same video, and as old as our socket. */
export function ownStream(rows: readonly Row[], name: string, age: number): Row | null {
  const alike = rows.filter(({ stream }) => stream.transport === "websocket" && stream.name === name);
  const far = (row: Row) => Math.abs(row.stream.age - age);
  return alike.reduce<Row | null>((best, row) => (best === null || far(row) < far(best) ? row : best), null);
}
