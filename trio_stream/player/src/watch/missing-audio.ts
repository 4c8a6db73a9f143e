/** Whether a video that has audio plays without it, and why. Browsers report no error if they play only the video. */

import { useEffect, useState } from "react";
import type { VideoDetails } from "../api/client";
import type { Delivery } from "./delivery";
import { formatName, type MediaInfo, plays, type Supports } from "./formats";

/** `browser`: it does not support these formats; `segments`: they cannot be sent in segments. */
export interface MissingAudio {
  by: "browser" | "segments";
  formats: string[];
}

/** Seconds to play with nothing decoded before audio counts as missing, by whether the browser says it supports the codec. */
const WAIT = { unknown: 1, supported: 3 };

export interface Evidence {
  /** Whether any audio was decoded; null if the browser does not say. */
  decoded: boolean | null;
  /** Seconds that were played. */
  played: number;
  /** Whether it is delivered in segments without audio. */
  withoutAudio: boolean;
}

/** `supports` is `canPlayType`, as a boolean. What was decoded overrides what the browser says it supports. */
export function missingAudio(
  info: MediaInfo | null,
  delivery: Delivery["kind"],
  { decoded, played, withoutAudio }: Evidence,
  supports: Supports,
): MissingAudio | null {
  const [first] = info?.audio ?? [];
  if (info === null || first === undefined) return null;
  const formats = [...new Set(info.audio.map(({ codec }) => formatName(codec)))];
  if (delivery === "packaged") {
    if (!withoutAudio) return null;
    return { by: info.audio.some((each) => plays("audio", each, supports)) ? "segments" : "browser", formats };
  }
  if (decoded === true) return null;
  const supported = plays("audio", first, supports);
  const wait = WAIT[supported === null ? "unknown" : "supported"];
  const missing = supported === false || (decoded === false && played > wait);
  return missing ? { by: "browser", formats } : null;
}

/** Non-standard properties: of Chromium and Safari, and of Firefox. */
type DecodedAudio = { webkitAudioDecodedByteCount?: number; mozHasAudio?: boolean };

function hasDecodedAudio(video: HTMLVideoElement): boolean | null {
  const { webkitAudioDecodedByteCount: bytes, mozHasAudio } = video as DecodedAudio;
  return bytes === undefined ? (mozHasAudio ?? null) : bytes > 0;
}

function secondsPlayed({ played }: HTMLVideoElement): number {
  let seconds = 0;
  for (let index = 0; index < played.length; index += 1) seconds += played.end(index) - played.start(index);
  return seconds;
}

/** Why the audio of `video` is missing; null if it is not, or if the video has none. */
export function useMissingAudio(
  video: HTMLVideoElement | null,
  { facts: info }: Pick<VideoDetails, "facts">,
  delivery: Delivery["kind"],
  withoutAudio: boolean,
): MissingAudio | null {
  const [missing, setMissing] = useState<MissingAudio | null>(null);
  useEffect(() => {
    setMissing(null);
    if (video === null) return;
    const check = () => {
      if (video.readyState < 2) return;
      const evidence = { decoded: hasDecodedAudio(video), played: secondsPlayed(video), withoutAudio };
      const result = missingAudio(info, delivery, evidence, (type) => video.canPlayType(type) !== "");
      setMissing((before) => (result === null || before === null ? result : before));
    };
    check();
    video.addEventListener("loadeddata", check);
    video.addEventListener("timeupdate", check);
    return () => {
      video.removeEventListener("loadeddata", check);
      video.removeEventListener("timeupdate", check);
    };
  }, [video, info, delivery, withoutAudio]);
  return missing;
}
