/** The playheads of a guest, who has none on the server: the newest ones stay in the browser. */

import type { VideoDetails } from "../api/client";
import { loadPreference, savePreference } from "../ui/storage";

const KEY = "playheads";
const MOST = 200; // playheads; each takes about 60 characters

/** The id of a video, the position and the duration in seconds, and when that was, in milliseconds. */
type Stored = [id: string, position: number, duration: number, updated: number];

export function saveGuestPlayhead(id: string, position: number, duration: number): void {
  const others = load().filter(([each]) => each !== id);
  const newest: Stored = [id, Math.round(position), Math.round(duration), Date.now()];
  savePreference(KEY, JSON.stringify([newest, ...others].slice(0, MOST)));
}

/** The details with the playhead that this browser keeps. */
export function withGuestPlayhead(details: VideoDetails): VideoDetails {
  const stored = load().find(([id]) => id === details.id);
  if (stored === undefined) return details;
  const [, position, duration, updated] = stored;
  const playhead = { position, duration, watched: false, plays: 0, updated: new Date(updated).toISOString() };
  return { ...details, playhead };
}

function load(): Stored[] {
  try {
    const stored: unknown = JSON.parse(loadPreference(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isStored) : [];
  } catch {
    return []; // something else has written there
  }
}

function isStored(value: unknown): value is Stored {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [id, ...numbers] = value as unknown[];
  return typeof id === "string" && numbers.every((each) => typeof each === "number" && Number.isFinite(each) && each >= 0);
}
