/** What the server tells of the library as it happens: the state, and that the lists are others now. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { components } from "../api/schema";
import { library } from "../api/queries";
import type { Library } from "../api/client";

type Progress = components["schemas"]["Progress"];

const SOONEST = 2_000; // milliseconds between two looks at the lists

/** Whether videos came, went, or have more to show than before. */
export function differs(before: Progress | undefined, now: Progress): boolean {
  if (before === undefined) return false;
  const counts = (progress: Progress) => {
    const { look, keeping } = progress;
    const { number, added, changed, moved, returned, missing } = look;
    return [number, added, changed, moved, returned, missing, keeping.to_probe, keeping.to_draw].join();
  };
  return counts(before) !== counts(now);
}

export function useNews(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let events: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last: Progress | undefined;
    const hear = (event: MessageEvent<string>) => {
      const progress = JSON.parse(event.data) as Progress;
      queries.setQueryData<Library>(library.queryKey, (known) => known && { ...known, ...progress });
      if (differs(last, progress))
        timer ??= setTimeout(() => {
          timer = undefined;
          for (const key of ["videos", "folders", "continue", "library"]) queries.invalidateQueries({ queryKey: [key] });
        }, SOONEST);
      last = progress;
    };
    // A page nobody looks at holds no connection, of which a browser has six for a server.
    const follow = () => {
      if (document.hidden) {
        events?.close();
        events = null;
      } else if (events === null) {
        events = new EventSource("/api/library/scan");
        events.addEventListener("progress", hear);
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
