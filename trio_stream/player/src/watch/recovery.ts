/** Continues playback after the server, or the connection to it, was lost. */

import { useEffect, useRef, useState } from "react";

const STALLED = 6_000; // milliseconds without a new frame while playing
const RETRY_INTERVAL = 700; // milliseconds between two requests to the server
const DECODE_ERROR = 3; // MediaError.MEDIA_ERR_DECODE
const SKIP = 2; // seconds to skip where a file is damaged; doubled with each try
const MAX_TRIES = 3; // loads without playing in between, after which the file is at fault

async function isReachable(signal: AbortSignal): Promise<boolean> {
  try {
    return (await fetch("/healthz", { cache: "no-store", signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) })).ok;
  } catch {
    return false;
  }
}

const pause = (milliseconds: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

export type Connection = "ok" | "reconnecting" | "failed";

/**
 * Watches `video`. If it fails after it had played, or stalls, this polls the server until it responds, and then loads the
 * video again at the same position; with `reload`, if something else loads it. If the file is damaged, playback continues
 * some seconds later.
 */
export function useRecovery(video: HTMLVideoElement | null, source: string, reload: (() => void) | null): Connection {
  const [connection, setConnection] = useState<Connection>("ok");
  const reloadRef = useRef(reload);
  reloadRef.current = reload;
  useEffect(() => {
    if (video === null) return;
    const controller = new AbortController();
    const { signal } = controller;
    let loaded = video.readyState >= 2; // this source has shown a frame
    let busy = false;
    let tries = 0;
    let position = 0; // the last one that was played, in seconds
    let wanted = !video.paused; // whether it should be playing
    let moved = performance.now();

    const recover = async () => {
      if (busy || signal.aborted) return;
      busy = true;
      tries += 1;
      if (tries > MAX_TRIES) {
        setConnection("failed");
        return;
      }
      setConnection("reconnecting");
      const damaged = video.error?.code === DECODE_ERROR;
      const resumeAt = damaged ? Math.min(position + SKIP ** tries, video.duration || position) : position;
      const [rate, playing] = [video.playbackRate, wanted];
      while (!signal.aborted && !(await isReachable(signal))) await pause(RETRY_INTERVAL, signal);
      if (signal.aborted) return;
      if (reloadRef.current !== null && video.error === null) {
        reloadRef.current();
        moved = performance.now();
        busy = false;
        return;
      }
      const showing = [...video.textTracks].map((track) => track.mode);
      video.addEventListener(
        "loadedmetadata",
        () => {
          video.currentTime = resumeAt;
          video.playbackRate = rate;
          showing.forEach((mode, index) => {
            const track = video.textTracks[index];
            if (track !== undefined) track.mode = mode;
          });
        },
        { once: true, signal },
      );
      video.load();
      if (playing) video.play().catch(() => undefined);
      moved = performance.now();
      busy = false;
    };

    const listen = (name: keyof HTMLMediaElementEventMap, listener: () => void) =>
      video.addEventListener(name, listener, { signal });
    listen("loadeddata", () => {
      loaded = true;
    });
    listen("play", () => {
      wanted = true;
      moved = performance.now();
    });
    listen("pause", () => {
      // A media element that fails fires "pause" too.
      if (video.error === null && !busy) wanted = false;
    });
    listen("seeking", () => {
      moved = performance.now();
      if (!busy) position = video.currentTime;
    });
    listen("timeupdate", () => {
      if (video.currentTime === position || busy || video.seeking || video.readyState < 2) return;
      if (Math.abs(video.currentTime - position) < 2) {
        moved = performance.now();
        if (video.readyState > 2) {
          tries = 0;
          setConnection("ok");
        }
      }
      position = video.currentTime;
    });
    listen("error", () => {
      if (loaded && reloadRef.current === null) void recover(); // with `reload`, the loader handles the error itself
    });
    const watch = setInterval(() => {
      const stalled = loaded && wanted && !video.paused && !video.ended && video.readyState < 3;
      if (!stalled) moved = Math.max(moved, performance.now() - STALLED / 2);
      else if (performance.now() - moved > STALLED) void recover();
    }, 500);
    const online = () => {
      if (video.readyState < 3 && wanted && loaded) void recover();
    };
    window.addEventListener("online", online, { signal });
    return () => {
      controller.abort();
      clearInterval(watch);
      setConnection("ok");
    };
  }, [video, source]);
  return connection;
}
