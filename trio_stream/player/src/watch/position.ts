/** Where a video goes on, and what is worth remembering of where it stands. */

import type { VideoDetails } from "../api/client";

const BEGINNING = 5; // seconds that nobody minds to see again
const LEAP = 3; // seconds that nobody sees between two looks at where a video is
const LEFT = 1; // seconds there have to be behind a place, for it to be worth going to
const END = 0.95; // the part of a video after which it is over

/** `90`, `90.5`, `1m30s`, `1:30`: seconds, or null for what is no time. */
export function parseTime(text: string | null): number | null {
  if (text === null) return null;
  if (/^\d+(\.\d+)?s?$/.test(text)) return Number.parseFloat(text);
  const spelt = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  const coloned = /^(?:(\d+):)?(\d{1,2}):(\d{2})$/.exec(text);
  const found = text === "" ? null : (spelt ?? coloned);
  if (found === null) return null;
  const [hours, minutes, seconds] = [found[1], found[2], found[3]].map((part) => Number(part ?? 0));
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

/** Seconds at which to begin: what the address says, else where it was stopped, else the beginning. What is missing of a
 * file is no place to begin at. */
export function startOf(video: Pick<VideoDetails, "playhead" | "duration" | "facts">, asked: number | null): number {
  const until = video.facts?.until ?? null;
  if (asked !== null && until !== null) return asked < until - LEFT ? asked : 0;
  if (asked !== null) return video.duration === null ? asked : Math.min(asked, Math.max(0, video.duration - 1));
  const { playhead, duration } = video;
  if (playhead === null || playhead.position < BEGINNING) return 0;
  const whole = until ?? duration ?? playhead.duration;
  return whole && playhead.position >= whole * END ? 0 : playhead.position;
}

type State = Pick<HTMLMediaElement, "currentTime" | "ended" | "playbackRate">;

/**
 * The position to tell the server. Where a file lacks its end, a browser says that it has come to the end of what is
 * not there; then it is what was last `seen`.
 */
export function playedTo(until: number | null, { currentTime, ended, playbackRate }: State, seen: number): number {
  const leapt = ended && currentTime - seen > LEAP * Math.max(1, playbackRate);
  return Math.min(leapt ? seen : currentTime, until ?? currentTime);
}
