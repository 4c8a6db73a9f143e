/** What flows, as the page shows it: the rate over the last minute, the state in a word, the server's side. */

import { useEffect, useRef, useState } from "react";
import type { Row } from "../live/rows";
import type { Status } from "./playback";

export const MINUTE = 60_000; // milliseconds that are drawn
const STEP = 500; // milliseconds between two values
const STEADY = 6; // steps over which the mean is taken

export interface Flow {
  times: number[];
  /** Bits a second. */
  values: number[];
}

/** The rates between looks at how many bytes there are; each is the mean of the last few. */
export function ratesOf(looks: readonly (readonly [time: number, received: number])[]): Flow {
  const flow: Flow = { times: [], values: [] };
  looks.forEach(([time, received], place) => {
    const [since, before] = looks[Math.max(0, place - STEADY)] ?? [time, received];
    if (time <= since) return;
    flow.times.push(time);
    flow.values.push(Math.max(0, ((received - before) * 8_000) / (time - since)));
  });
  return flow;
}

export function useFlow(received: number): Flow {
  const now = useRef(received);
  now.current = received;
  const looks = useRef<[number, number][]>([]);
  const [flow, setFlow] = useState<Flow>({ times: [], values: [] });
  useEffect(() => {
    const timer = setInterval(() => {
      const time = Date.now();
      looks.current = [...looks.current.filter(([each]) => each > time - MINUTE - 2 * STEP * STEADY), [time, now.current]];
      setFlow(ratesOf(looks.current));
    }, STEP);
    return () => clearInterval(timer);
  }, []);
  return flow;
}

export type State = "connecting" | "flowing" | "enough" | "person" | "whole" | "closed";

/** Where the bytes stand, in a word. */
export function stateOf({ open, held, byPerson, closed }: Pick<Status, "open" | "held" | "byPerson" | "closed">): State {
  if (closed !== null) return closed.normal ? "whole" : "closed";
  if (!open) return "connecting";
  if (!held) return "flowing";
  return byPerson ? "person" : "enough";
}

/** The stream that is ours among those of the server: of the same video, and as old as our socket. */
export function ours(rows: readonly Row[], name: string, age: number): Row | null {
  const alike = rows.filter(({ stream }) => stream.transport === "websocket" && stream.name === name);
  const far = (row: Row) => Math.abs(row.stream.age - age);
  return alike.reduce<Row | null>((best, row) => (best === null || far(row) < far(best) ? row : best), null);
}
