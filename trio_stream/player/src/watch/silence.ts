/** Whether a video that has sound plays without any, and why. Browsers play the half they know without a word. */

import { useEffect, useState } from "react";
import type { MediaInfo, VideoDetails } from "../api/client";
import type { Delivery } from "./delivery";
import { formatName, plays, type Supports } from "./formats";

/** `browser`: it does not know these formats; `segments`: they cannot be sent in segments. */
export interface Silence {
  by: "browser" | "segments";
  formats: string[];
}

/** Seconds to play before nothing decoded counts as silence: where nobody can ask, and against what the browser said. */
const PATIENCE = { unknown: 1, known: 3 };

export interface Heard {
  /** Whether any sound was decoded; null where the browser does not tell. */
  decoded: boolean | null;
  /** Seconds that were played. */
  played: number;
  /** Whether it comes in segments of which none are of sound. */
  without: boolean;
}

/** `supports` is `canPlayType`, as yes or no. What was decoded counts for more than what the browser says of itself. */
export function silenceOf(
  facts: MediaInfo | null,
  delivery: Delivery["kind"],
  { decoded, played, without }: Heard,
  supports: Supports,
): Silence | null {
  const [first] = facts?.audio ?? [];
  if (facts === null || first === undefined) return null;
  const formats = [...new Set(facts.audio.map(({ codec }) => formatName(codec)))];
  if (delivery === "packaged") {
    if (!without) return null;
    return { by: facts.audio.some((each) => plays("audio", each, supports)) ? "segments" : "browser", formats };
  }
  if (decoded === true) return null;
  const knows = plays("audio", first, supports);
  const silent = knows === false || (decoded === false && played > PATIENCE[knows === null ? "unknown" : "known"]);
  return silent ? { by: "browser", formats } : null;
}

/** Properties outside the standard: of Chromium and Safari, and of Firefox. */
type Telling = { webkitAudioDecodedByteCount?: number; mozHasAudio?: boolean };

function decodedOf(video: HTMLVideoElement): boolean | null {
  const { webkitAudioDecodedByteCount: bytes, mozHasAudio } = video as Telling;
  return bytes === undefined ? (mozHasAudio ?? null) : bytes > 0;
}

function playedOf({ played }: HTMLVideoElement): number {
  let seconds = 0;
  for (let place = 0; place < played.length; place += 1) seconds += played.end(place) - played.start(place);
  return seconds;
}

/** Why `video`, which shows its pictures, has no sound; null where it has, or should have none. */
export function useSilence(
  video: HTMLVideoElement | null,
  { facts }: Pick<VideoDetails, "facts">,
  delivery: Delivery["kind"],
  without: boolean,
): Silence | null {
  const [silence, setSilence] = useState<Silence | null>(null);
  useEffect(() => {
    setSilence(null);
    if (video === null) return;
    const look = () => {
      if (video.readyState < 2) return;
      const heard = { decoded: decodedOf(video), played: playedOf(video), without };
      const found = silenceOf(facts, delivery, heard, (type) => video.canPlayType(type) !== "");
      setSilence((before) => (found === null || before === null ? found : before));
    };
    look();
    video.addEventListener("loadeddata", look);
    video.addEventListener("timeupdate", look);
    return () => {
      video.removeEventListener("loadeddata", look);
      video.removeEventListener("timeupdate", look);
    };
  }, [video, facts, delivery, without]);
  return silence;
}
