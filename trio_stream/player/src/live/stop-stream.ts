/** Ending streams: each is gone from the page at once, and back if the server did not end it. */

import { useCallback, useEffect, useState } from "react";
import { isGone, request } from "../api/client";
import type { Row } from "./stream-rows";

export interface StopStream {
  /** The rows without those that are being ended. */
  rows: Row[];
  stop: (id: string) => void;
  /** What the server said when it did not; null after a while. */
  failed: string | null;
}

const ERROR_SHOWN = 6_000; // milliseconds a failure stays on the page

export function useStopStream(all: readonly Row[]): StopStream {
  const [ending, setEnding] = useState<ReadonlySet<string>>(new Set());
  const [failed, setFailed] = useState<string | null>(null);

  useEffect(() => {
    // What the server does not tell of any more need not be remembered.
    setEnding((before) => {
      const still = [...before].filter((id) => all.some((row) => row.stream.id === id));
      return still.length === before.size ? before : new Set(still);
    });
  }, [all]);

  useEffect(() => {
    if (failed === null) return;
    const timer = setTimeout(() => setFailed(null), ERROR_SHOWN);
    return () => clearTimeout(timer);
  }, [failed]);

  const stop = useCallback(async (id: string) => {
    setEnding((before) => new Set(before).add(id));
    setFailed(null);
    try {
      await request(`/api/streams/${encodeURIComponent(id)}`, { method: "DELETE" });
    } catch (error) {
      if (isGone(error)) return; // it ended by itself
      setFailed(error instanceof Error ? error.message : String(error));
      setEnding((before) => {
        const rest = new Set(before);
        rest.delete(id);
        return rest;
      });
    }
  }, []);

  return { rows: all.filter((row) => !ending.has(row.stream.id)), stop: (id) => void stop(id), failed };
}
