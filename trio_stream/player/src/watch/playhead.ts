/** Telling the server where a video stands: every ten seconds, and whenever it may be the last word: when it is paused, sought
 * while it stands, or hidden. */

import { useEffect } from "react";
import type { VideoDetails } from "../api/client";
import { putPlayhead } from "../api/queries";
import { playedTo } from "./position";

const EVERY = 10_000; // milliseconds
const FEWEST = 1; // seconds that make a difference
const SETTLED = 500; // milliseconds without a further seek, of a video that stands

export function usePlayhead(video: HTMLVideoElement | null, { id, facts }: Pick<VideoDetails, "id" | "facts">, after: () => void): void {
  const until = facts?.until ?? null;
  useEffect(() => {
    if (video === null) return;
    const ending = new AbortController();
    let last = Number.NaN;
    let begun = !video.paused && video.readyState >= 3; // it may play before anybody listens
    let seen = 0; // the last second that was shown
    const tell = () => {
      const duration = video.duration;
      const currentTime = playedTo(until, video, seen);
      if (!begun || video.readyState === 0 || !Number.isFinite(duration) || Math.abs(currentTime - last) < FEWEST) return;
      last = currentTime;
      putPlayhead(id, currentTime, duration).then(after, () => {
        last = Number.NaN; // the next one tells it
      });
    };
    const listen = (target: EventTarget, name: string, hear: () => void) =>
      target.addEventListener(name, hear, { signal: ending.signal });
    listen(video, "playing", () => {
      begun = true;
    });
    listen(video, "timeupdate", () => {
      if (!video.ended && !video.seeking && video.readyState >= 2) seen = video.currentTime;
    });
    listen(video, "pause", tell);
    listen(video, "ended", tell);
    let settled = 0;
    listen(video, "seeked", () => {
      clearTimeout(settled);
      settled = window.setTimeout(() => video.paused && tell(), SETTLED);
    });
    listen(document, "visibilitychange", () => document.hidden && tell());
    listen(window, "pagehide", tell);
    const timer = setInterval(() => !video.paused && tell(), EVERY);
    return () => {
      clearInterval(timer);
      clearTimeout(settled);
      ending.abort();
      tell();
    };
  }, [video, id, until, after]);
}
