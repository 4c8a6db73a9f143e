/** What a playing video does outside its own picture: chapters, the keys of the system, the first picture's time. */

import { useEffect } from "react";
import type { VideoDetails } from "../api/client";

/** Chapters as a text track, which is what players draw them from. */
export function useChapters(video: HTMLVideoElement | null, { facts }: VideoDetails): void {
  const chapters = facts?.chapters;
  useEffect(() => {
    if (video === null || chapters === undefined || chapters.length < 2) return;
    // No script can take a track away again, and players look at the first: there is one, whatever is told in it.
    const track =
      [...video.textTracks].find(({ kind }) => kind === "chapters") ?? video.addTextTrack("chapters", "chapters", "");
    track.mode = "hidden"; // there, and not drawn over the picture
    for (const [place, { start, end, title }] of chapters.entries())
      track.addCue(new VTTCue(start, end, title || String(place + 1)));
    return () => {
      for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
      track.mode = "disabled";
    };
  }, [video, chapters]);
}

interface Wishes {
  next: (() => void) | null;
  previous: (() => void) | null;
}

/** The keys of keyboards, headphones and lock screens. */
export function useMediaSession(video: HTMLVideoElement | null, details: VideoDetails, { next, previous }: Wishes): void {
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
        // Not every system has every key.
      }
    };
    for (const [action, handler] of handlers) set(action, handler);
    return () => {
      for (const [action] of handlers) set(action, null);
      session.metadata = null;
    };
  }, [video, details, next, previous]);
}

/** Keys that reach the page reach the player, so that it need not be clicked first. */
export function useKeysOfThePage(container: HTMLElement | null): void {
  useEffect(() => {
    if (container === null) return;
    const listen = (event: KeyboardEvent) => {
      const focused = document.activeElement;
      if (!event.isTrusted) return; // the one that is sent on below
      // What was closed a moment ago has the focus until the next picture; keys are not meant for it any more.
      const elsewhere = focused !== null && focused !== document.body && focused.id !== "content" && focused.checkVisibility();
      if (event.defaultPrevented || elsewhere) return;
      const again = new KeyboardEvent("keydown", {
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
      if (!container.dispatchEvent(again)) event.preventDefault();
    };
    document.addEventListener("keydown", listen, { capture: true });
    return () => document.removeEventListener("keydown", listen, { capture: true });
  }, [container]);
}
