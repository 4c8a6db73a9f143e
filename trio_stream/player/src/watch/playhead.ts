/** Saves the playhead, on the server or for guests in the browser: every ten seconds, and when the video is paused, sought while paused, ended or hidden. */

import { useEffect } from "react";
import type { VideoDetails } from "../api/client";
import { putPlayhead, useMay } from "../api/queries";
import { saveGuestPlayhead } from "./guest-playheads";
import { playedTo } from "./position";

const INTERVAL = 10_000; // milliseconds
const MIN_CHANGE = 1; // seconds
const SEEK_DELAY = 500; // milliseconds without another seek, while paused

export function usePlayhead(video: HTMLVideoElement | null, { id, facts: info }: Pick<VideoDetails, "id" | "facts">, onSaved: () => void): void {
  const until = info?.until ?? null;
  const tracked = useMay("track");
  useEffect(() => {
    if (video === null) return;
    const controller = new AbortController();
    let last = Number.NaN;
    let started = !video.paused && video.readyState >= 3; // it may play before we listen
    let seen = 0; // the last position that was shown, in seconds
    const save = () => {
      const duration = video.duration;
      const currentTime = playedTo(until, video, seen);
      if (!started || video.readyState === 0 || !Number.isFinite(duration) || Math.abs(currentTime - last) < MIN_CHANGE) return;
      last = currentTime;
      if (tracked === false) {
        saveGuestPlayhead(id, currentTime, duration);
        return;
      }
      putPlayhead(id, currentTime, duration).then(onSaved, () => {
        last = Number.NaN; // the next call sends it
      });
    };
    const listen = (target: EventTarget, name: string, listener: () => void) =>
      target.addEventListener(name, listener, { signal: controller.signal });
    listen(video, "playing", () => {
      started = true;
    });
    listen(video, "timeupdate", () => {
      if (!video.ended && !video.seeking && video.readyState >= 2) seen = video.currentTime;
    });
    listen(video, "pause", save);
    listen(video, "ended", save);
    let timeout = 0;
    listen(video, "seeked", () => {
      clearTimeout(timeout);
      timeout = window.setTimeout(() => video.paused && save(), SEEK_DELAY);
    });
    listen(document, "visibilitychange", () => document.hidden && save());
    listen(window, "pagehide", save);
    const timer = setInterval(() => !video.paused && save(), INTERVAL);
    return () => {
      clearInterval(timer);
      clearTimeout(timeout);
      controller.abort();
      save();
    };
  }, [video, id, until, tracked, onSaved]);
}
