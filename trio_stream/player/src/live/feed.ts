/** What the server does, as it tells it each second, for as long as somebody looks. */

import { useEffect, useState } from "react";
import type { components } from "../api/schema";
import { type Row, rowsOf } from "./rows";
import { added, fromHistory, none, type Samples } from "./samples";

const SILENT = 6_000; // milliseconds without an event, after which the connection is believed dead
const AGAIN = 2_000; // milliseconds until the next try, where the browser does not try by itself

type Now = components["schemas"]["LiveNow"];
type History = components["schemas"]["LiveHistory"];

export type Totals = Omit<Now, "sample" | "streams">;

export interface Live {
  /** False until the first event, and whenever the server is not heard. */
  connected: boolean;
  /** Whether there was ever an event. */
  begun: boolean;
  samples: Samples;
  totals: Totals | null;
  rows: Row[];
}

export const nothing: Live = { connected: false, begun: false, samples: none, totals: null, rows: [] };

export const heardHistory = (live: Live, history: History): Live => ({ ...live, samples: fromHistory(history) });

export function heardNow(live: Live, { sample, streams, ...totals }: Now): Live {
  return {
    connected: true,
    begun: true,
    samples: added(live.samples, sample),
    totals,
    rows: rowsOf(live.rows, streams, sample.time),
  };
}

interface Hearing {
  history: (history: History) => void;
  now: (now: Now) => void;
  lost: () => void;
}

/** Listen to `url` until the answer is called. A page nobody looks at holds no connection. */
export function listen(url: string, hear: Hearing): () => void {
  let events: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const close = () => {
    clearTimeout(timer);
    events?.close();
    events = null;
  };
  const reopen = () => {
    close();
    hear.lost();
    if (!document.hidden) open();
  };
  const open = () => {
    const source = new EventSource(url);
    events = source;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(reopen, SILENT);
    };
    alive();
    source.addEventListener("history", (event: MessageEvent<string>) => {
      alive();
      hear.history(JSON.parse(event.data) as History);
    });
    source.addEventListener("now", (event: MessageEvent<string>) => {
      alive();
      hear.now(JSON.parse(event.data) as Now);
    });
    source.addEventListener("error", () => {
      hear.lost();
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again
      clearTimeout(timer);
      timer = setTimeout(reopen, AGAIN);
    });
  };
  const follow = () => {
    if (document.hidden) close();
    else if (events === null) open();
  };
  follow();
  document.addEventListener("visibilitychange", follow);
  return () => {
    document.removeEventListener("visibilitychange", follow);
    close();
  };
}

export function useLive(): Live {
  const [live, setLive] = useState(nothing);
  useEffect(
    () =>
      listen("/api/live", {
        history: (history) => setLive((before) => heardHistory(before, history)),
        now: (now) => setLive((before) => heardNow(before, now)),
        lost: () => setLive((before) => (before.connected ? { ...before, connected: false } : before)),
      }),
    [],
  );
  return live;
}
