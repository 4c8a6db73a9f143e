/** Follows the server-sent events of the library: updates its state, and refetches the lists when they have changed. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { components } from "../api/schema";
import { library } from "../api/queries";
import type { Library } from "../api/client";

type Progress = components["schemas"]["Progress"];

const MIN_INTERVAL = 2_000; // milliseconds between two refetches of the lists

/** Whether videos were added or removed, or were probed or got artwork. */
export function hasChanged(before: Progress | undefined, now: Progress): boolean {
  if (before === undefined) return false;
  const counts = (progress: Progress) => {
    const { look, keeping } = progress;
    const { number, added, changed, moved, returned, missing } = look;
    return [number, added, changed, moved, returned, missing, keeping.to_probe, keeping.to_draw].join();
  };
  return counts(before) !== counts(now);
}

export function useLiveUpdates(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let events: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last: Progress | undefined;
    const onProgress = (event: MessageEvent<string>) => {
      const progress = JSON.parse(event.data) as Progress;
      queries.setQueryData<Library>(library.queryKey, (current) => current && { ...current, ...progress });
      if (hasChanged(last, progress))
        timer ??= setTimeout(() => {
          timer = undefined;
          for (const key of ["videos", "folders", "continue", "library"]) queries.invalidateQueries({ queryKey: [key] });
        }, MIN_INTERVAL);
      last = progress;
    };
    // A hidden page closes its connection: a browser has only six per server.
    const follow = () => {
      if (document.hidden) {
        events?.close();
        events = null;
      } else if (events === null) {
        events = new EventSource("/api/library/scan");
        events.addEventListener("progress", onProgress);
      }
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      events?.close();
      clearTimeout(timer);
    };
  }, [queries]);
}
