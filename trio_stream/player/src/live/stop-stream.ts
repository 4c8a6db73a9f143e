/** Stops streams. A row disappears at once, and reappears if the server did not stop its stream. */

import { useCallback, useEffect, useState } from "react";
import { isGone, request } from "../api/client";
import type { Row } from "./stream-rows";

export interface StopStream {
  /** The rows without those whose streams are being stopped. */
  rows: Row[];
  stop: (id: string) => void;
  /** The error message if a stream could not be stopped; null after a while. */
  failed: string | null;
}

const ERROR_SHOWN = 6_000; // milliseconds an error stays on the page

export function useStopStream(all: readonly Row[]): StopStream {
  const [stopping, setStopping] = useState<ReadonlySet<string>>(new Set());
  const [failed, setFailed] = useState<string | null>(null);

  useEffect(() => {
    // Forget the streams that the server no longer lists.
    setStopping((before) => {
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
    setStopping((before) => new Set(before).add(id));
    setFailed(null);
    try {
      await request(`/api/streams/${encodeURIComponent(id)}`, { method: "DELETE" });
    } catch (error) {
      if (isGone(error)) return; // it had already ended
      setFailed(error instanceof Error ? error.message : String(error));
      setStopping((before) => {
        const rest = new Set(before);
        rest.delete(id);
        return rest;
      });
    }
  }, []);

  return { rows: all.filter((row) => !stopping.has(row.stream.id)), stop: (id) => void stop(id), failed };
}
