/** Going on by itself after the server, or the way to it, was away. */

import { useEffect, useRef, useState } from "react";

const STALLED = 6_000; // milliseconds without a further picture, though more should come
const AGAIN = 700; // milliseconds between two questions to the server
const DAMAGED = 3; // MediaError.MEDIA_ERR_DECODE
const LEAP = 2; // seconds that are left out where a file is damaged; twice as many where they are not enough
const TRIES = 3; // loads without one second played in between, after which the file is at fault

async function answers(signal: AbortSignal): Promise<boolean> {
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

export type Lost = "no" | "reconnecting" | "failed";

/**
 * Watches over `video`. When it fails after it had been fine, or stands still though it should play, the server is
 * asked until it answers, and the video is loaded again where it was; by `reload`, if something else loads it. Where the
 * file is damaged it goes on some seconds behind.
 */
export function useRecovery(video: HTMLVideoElement | null, source: string, reload: (() => void) | null): Lost {
  const [lost, setLost] = useState<Lost>("no");
  const again = useRef(reload);
  again.current = reload;
  useEffect(() => {
    if (video === null) return;
    const ending = new AbortController();
    const { signal } = ending;
    let fine = video.readyState >= 2; // this source has shown a picture
    let busy = false;
    let tries = 0;
    let at = 0; // the last second that was played
    let wanted = !video.paused; // whether it was playing
    let moved = performance.now();

    const recover = async () => {
      if (busy || signal.aborted) return;
      busy = true;
      tries += 1;
      if (tries > TRIES) {
        setLost("failed");
        return;
      }
      setLost("reconnecting");
      const damaged = video.error?.code === DAMAGED;
      const position = damaged ? Math.min(at + LEAP ** tries, video.duration || at) : at;
      const [rate, playing] = [video.playbackRate, wanted];
      while (!signal.aborted && !(await answers(signal))) await pause(AGAIN, signal);
      if (signal.aborted) return;
      if (again.current !== null && video.error === null) {
        again.current();
        moved = performance.now();
        busy = false;
        return;
      }
      const showing = [...video.textTracks].map((track) => track.mode);
      video.addEventListener(
        "loadedmetadata",
        () => {
          video.currentTime = position;
          video.playbackRate = rate;
          showing.forEach((mode, place) => {
            const track = video.textTracks[place];
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

    const listen = (name: keyof HTMLMediaElementEventMap, hear: () => void) =>
      video.addEventListener(name, hear, { signal });
    listen("loadeddata", () => {
      fine = true;
    });
    listen("play", () => {
      wanted = true;
      moved = performance.now();
    });
    listen("pause", () => {
      // A media element that fails says that it paused, too.
      if (video.error === null && !busy) wanted = false;
    });
    listen("seeking", () => {
      moved = performance.now();
      if (!busy) at = video.currentTime;
    });
    listen("timeupdate", () => {
      if (video.currentTime === at || busy || video.seeking || video.readyState < 2) return;
      if (Math.abs(video.currentTime - at) < 2) {
        moved = performance.now();
        if (video.readyState > 2) {
          tries = 0;
          setLost("no");
        }
      }
      at = video.currentTime;
    });
    listen("error", () => {
      if (fine && again.current === null) void recover(); // what else loads it hears of that itself
    });
    const watch = setInterval(() => {
      const should = fine && wanted && !video.paused && !video.ended && video.readyState < 3;
      if (!should) moved = Math.max(moved, performance.now() - STALLED / 2);
      else if (performance.now() - moved > STALLED) void recover();
    }, 500);
    const online = () => {
      if (video.readyState < 3 && wanted && fine) void recover();
    };
    window.addEventListener("online", online, { signal });
    return () => {
      ending.abort();
      clearInterval(watch);
      setLost("no");
    };
  }, [video, source]);
  return lost;
}
