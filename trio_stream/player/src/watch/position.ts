/** Where a video starts, and which position to save. */

import type { VideoDetails } from "../api/client";

const BEGINNING = 5; // seconds: a playhead before this starts over
const MAX_STEP = 3; // seconds between two updates of the position in normal playback
const MIN_LEFT = 1; // seconds that must follow a position to start there
const END = 0.95; // the part of a video after which it is finished

/** Parses `90`, `90.5`, `1m30s` or `1:30` to seconds; null if it is not a time. */
export function parseTime(text: string | null): number | null {
  if (text === null) return null;
  if (/^\d+(\.\d+)?s?$/.test(text)) return Number.parseFloat(text);
  const withUnits = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  const withColons = /^(?:(\d+):)?(\d{1,2}):(\d{2})$/.exec(text);
  const match = text === "" ? null : (withUnits ?? withColons);
  if (match === null) return null;
  const [hours, minutes, seconds] = [match[1], match[2], match[3]].map((part) => Number(part ?? 0));
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

/** The second to start at: the `requested` one of the URL, else the playhead, else the beginning. Never in the missing end
 * of a file. */
export function startOf(video: Pick<VideoDetails, "playhead" | "duration" | "facts">, requested: number | null): number {
  const until = video.facts?.until ?? null;
  if (requested !== null && until !== null) return requested < until - MIN_LEFT ? requested : 0;
  if (requested !== null) return video.duration === null ? requested : Math.min(requested, Math.max(0, video.duration - 1));
  const { playhead, duration } = video;
  if (playhead === null || playhead.position < BEGINNING) return 0;
  const whole = until ?? duration ?? playhead.duration;
  return whole && playhead.position >= whole * END ? 0 : playhead.position;
}

type State = Pick<HTMLMediaElement, "currentTime" | "ended" | "playbackRate">;

/**
 * The position to send to the server. If the end of a file is missing, browsers report that they reached the declared end;
 * then it is the position last `seen`.
 */
export function playedTo(until: number | null, { currentTime, ended, playbackRate }: State, seen: number): number {
  const jumped = ended && currentTime - seen > MAX_STEP * Math.max(1, playbackRate);
  return Math.min(jumped ? seen : currentTime, until ?? currentTime);
}
