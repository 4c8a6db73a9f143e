/** Effects of a video outside its element: chapters, media keys of the system, keys pressed on the page. */

import { useEffect } from "react";
import type { VideoDetails } from "../api/client";

/** Adds the chapters as a text track, from which players draw them. */
export function useChapters(video: HTMLVideoElement | null, { facts: info }: VideoDetails): void {
  const chapters = info?.chapters;
  useEffect(() => {
    if (video === null || chapters === undefined || chapters.length < 2) return;
    // Scripts cannot remove a track, and players use the first one: so one track is reused for all videos.
    const track =
      [...video.textTracks].find(({ kind }) => kind === "chapters") ?? video.addTextTrack("chapters", "chapters", "");
    track.mode = "hidden"; // loaded, but not drawn over the video
    for (const [index, { start, end, title }] of chapters.entries())
      track.addCue(new VTTCue(start, end, title || String(index + 1)));
    return () => {
      for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
      track.mode = "disabled";
    };
  }, [video, chapters]);
}

interface Neighbours {
  next: (() => void) | null;
  previous: (() => void) | null;
}

/** Handles media keys of keyboards, headphones and lock screens. */
export function useMediaSession(video: HTMLVideoElement | null, details: VideoDetails, { next, previous }: Neighbours): void {
  useEffect(() => {
    if (video === null || !("mediaSession" in navigator)) return;
    const session = navigator.mediaSession;
    session.metadata = new MediaMetadata({
      title: details.title,
      album: details.name.includes("/") ? (details.name.split("/").at(-2) ?? "") : "",
      artwork: details.poster === null ? [] : [{ src: details.poster, type: "image/jpeg" }],
    });
    const by = (step: number) => () => {
      video.currentTime = Math.max(0, video.currentTime + step);
    };
    const handlers: [MediaSessionAction, MediaSessionActionHandler | null][] = [
      ["play", () => void video.play()],
      ["pause", () => video.pause()],
      ["seekbackward", ({ seekOffset }) => by(-(seekOffset ?? 10))()],
      ["seekforward", ({ seekOffset }) => by(seekOffset ?? 10)()],
      [
        "seekto",
        ({ seekTime }) => {
          if (seekTime !== undefined) video.currentTime = seekTime;
        },
      ],
      ["nexttrack", next],
      ["previoustrack", previous],
    ];
    const set = (action: MediaSessionAction, handler: MediaSessionActionHandler | null) => {
      try {
        session.setActionHandler(action, handler);
      } catch {
        // Not every browser supports every action.
      }
    };
    for (const [action, handler] of handlers) set(action, handler);
    return () => {
      for (const [action] of handlers) set(action, null);
      session.metadata = null;
    };
  }, [video, details, next, previous]);
}

/** Passes keys pressed on the page to the player, so that it need not be clicked first. */
export function usePageKeys(container: HTMLElement | null): void {
  useEffect(() => {
    if (container === null) return;
    const listen = (event: KeyboardEvent) => {
      const focused = document.activeElement;
      if (!event.isTrusted) return; // the copy dispatched below
      // An element that was just closed keeps the focus until the next frame; keys are no longer meant for it.
      const elsewhere = focused !== null && focused !== document.body && focused.id !== "content" && focused.checkVisibility();
      if (event.defaultPrevented || elsewhere) return;
      const copy = new KeyboardEvent("keydown", {
        key: event.key,
        code: event.code,
        shiftKey: event.shiftKey,
        ctrlKey: event.ctrlKey,
        altKey: event.altKey,
        metaKey: event.metaKey,
        repeat: event.repeat,
        bubbles: true,
        cancelable: true,
      });
      if (!container.dispatchEvent(copy)) event.preventDefault();
    };
    document.addEventListener("keydown", listen, { capture: true });
    return () => document.removeEventListener("keydown", listen, { capture: true });
  }, [container]);
}
