/** Events of the server about its current state, once per second, while the page is visible. */

import { useEffect, useState } from "react";
import type { components } from "../api/schema";
import { addSample, fromHistory, noSamples, type Samples } from "./samples";
import { type Row, rowsOf } from "./stream-rows";

const SILENCE_TIMEOUT = 6_000; // milliseconds without an event after which the connection counts as dead
const RETRY_DELAY = 2_000; // milliseconds until the next attempt, if the browser does not reconnect

type Now = components["schemas"]["LiveNow"];
type History = components["schemas"]["LiveHistory"];

export type Totals = Omit<Now, "sample" | "streams">;

export interface Live {
  /** False until the first event, and whenever the connection is lost. */
  connected: boolean;
  /** Whether an event has ever arrived. */
  everConnected: boolean;
  samples: Samples;
  totals: Totals | null;
  rows: Row[];
}

export const emptyLive: Live = { connected: false, everConnected: false, samples: noSamples, totals: null, rows: [] };

export const withHistory = (live: Live, history: History): Live => ({ ...live, samples: fromHistory(history) });

export function withUpdate(live: Live, { sample, streams, ...totals }: Now): Live {
  return {
    connected: true,
    everConnected: true,
    samples: addSample(live.samples, sample),
    totals,
    rows: rowsOf(live.rows, streams, sample.time),
  };
}

interface Listeners {
  history: (history: History) => void;
  now: (now: Now) => void;
  lost: () => void;
}

/** Listen to `url` until the returned function is called. A hidden page has no connection. */
export function listen(url: string, listeners: Listeners): () => void {
  let events: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const close = () => {
    clearTimeout(timer);
    events?.close();
    events = null;
  };
  const reopen = () => {
    close();
    listeners.lost();
    if (!document.hidden) open();
  };
  const open = () => {
    const source = new EventSource(url);
    events = source;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(reopen, SILENCE_TIMEOUT);
    };
    alive();
    source.addEventListener("history", (event: MessageEvent<string>) => {
      alive();
      listeners.history(JSON.parse(event.data) as History);
    });
    source.addEventListener("now", (event: MessageEvent<string>) => {
      alive();
      listeners.now(JSON.parse(event.data) as Now);
    });
    source.addEventListener("error", () => {
      listeners.lost();
      if (source.readyState !== EventSource.CLOSED) return; // the browser reconnects
      clearTimeout(timer);
      timer = setTimeout(reopen, RETRY_DELAY);
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

/** Follows the activity of the server while `enabled`: guests may not. */
export function useLive(enabled = true): Live {
  const [live, setLive] = useState(emptyLive);
  useEffect(() => {
    if (!enabled) return;
    return listen("/api/live", {
      history: (history) => setLive((before) => withHistory(before, history)),
      now: (now) => setLive((before) => withUpdate(before, now)),
      lost: () => setLive((before) => (before.connected ? { ...before, connected: false } : before)),
    });
  }, [enabled]);
  return live;
}
