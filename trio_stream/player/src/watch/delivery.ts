/** How a video comes: as the file it is, or in segments that the server makes of it. */

import type { VideoDetails } from "../api/client";
import { troubleOf } from "./playable";

/** Why a video comes in segments: what the file as it is would not give this browser. */
export type Why = "sizes" | "tracks" | "pictures" | "clock" | "cut" | "container" | "sound" | "video";

export type Delivery = { kind: "direct" } | { kind: "packaged"; why: Why };

const CLOSE = 0.05; // seconds that two clocks may be apart

interface Browser {
  /** `canPlayType`, as yes or no. */
  plays: (type: string) => boolean;
  /** `MediaSource.isTypeSupported`. */
  takes: (type: string) => boolean;
  /** Whether it lists the sounds of a file, so that a person can choose. */
  listsSounds: boolean;
}

/** The file as it is wherever that gives a person all there is: nothing starts sooner, and nothing costs less. */
export function deliveryOf(
  video: Pick<VideoDetails, "content_type" | "facts" | "state" | "reason" | "versions">,
  { plays, takes, listsSounds }: Browser,
): Delivery {
  const direct = { kind: "direct" } as const;
  const { facts } = video;
  if (facts === null || video.state === "unreadable") return direct;
  const picture = facts.video[0];
  const inSegments = (kind: string, codec: string | null) => codec !== null && takes(`${kind}/mp4; codecs="${codec}"`);
  if (picture !== undefined && !inSegments("video", picture.codec_string)) return direct;
  if (facts.audio.length > 0 && !facts.audio.some((sound) => inSegments("audio", sound.codec_string))) return direct;
  const trouble = troubleOf(video, plays);
  if (trouble?.kind === "container" || trouble?.kind === "video") return { kind: "packaged", why: trouble.kind };
  if (trouble?.kind === "audio") return { kind: "packaged", why: "sound" };
  // What the server says of a film counts from its beginning, and a browser takes the clock of the file.
  if (facts.start > CLOSE) return { kind: "packaged", why: "clock" };
  // A browser plays on to the end that a file speaks of, where there is nothing.
  if (facts.until !== null) return { kind: "packaged", why: "cut" };
  // A browser plays the first pictures of some files, and the default ones of others.
  if (facts.video.some((each) => picture !== undefined && each.index < picture.index)) return { kind: "packaged", why: "pictures" };
  if (facts.audio.length > 1 && !listsSounds) return { kind: "packaged", why: "tracks" };
  if (video.versions.length > 1) return { kind: "packaged", why: "sizes" };
  return direct;
}

/** What this browser can do. */
export function thisBrowser(): Browser {
  const video = document.createElement("video");
  return {
    plays: (type) => video.canPlayType(type) !== "",
    takes: (type) => typeof MediaSource !== "undefined" && MediaSource.isTypeSupported(type),
    listsSounds: "audioTracks" in HTMLMediaElement.prototype,
  };
}
