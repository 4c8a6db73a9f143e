/** Where a video goes on, and what is worth remembering of where it stands. */

import type { VideoDetails } from "../api/client";

const BEGINNING = 5; // seconds that nobody minds to see again
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

/** Seconds at which to begin: what the address says, else where it was stopped, else the beginning. */
export function startOf(video: Pick<VideoDetails, "playhead" | "duration">, asked: number | null): number {
  if (asked !== null) return video.duration === null ? asked : Math.min(asked, Math.max(0, video.duration - 1));
  const { playhead, duration } = video;
  if (playhead === null || playhead.position < BEGINNING) return 0;
  const whole = duration ?? playhead.duration;
  return whole && playhead.position >= whole * END ? 0 : playhead.position;
}
