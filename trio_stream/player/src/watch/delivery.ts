/** How a video comes: as the file it is, or in segments that the server makes of it. */

import type { MediaInfo, Presentation, VideoDetails } from "../api/client";
import { plays as known, type Supports, takesSegments } from "./formats";
import { playsContainer, troubleOf } from "./playable";

/** Why a video comes in segments: what the file as it is would not give this browser. */
export type Why = "sizes" | "tracks" | "pictures" | "clock" | "cut" | "coding" | "container" | "sound" | "video" | "refused";

/** `pictures`: they come alone, as there is no sound in segments that this browser takes. */
export type Delivery = { kind: "direct" } | { kind: "packaged"; why: Why; pictures: boolean };

const CLOSE = 0.05; // seconds that two clocks may be apart

export interface Browser {
  /** `canPlayType`, as yes or no. */
  plays: Supports;
  /** `MediaSource.isTypeSupported`. */
  takes: Supports;
  /** Whether it lists the sounds of a file, so that a person can choose. */
  listsSounds: boolean;
}

type Asked = Pick<VideoDetails, "content_type" | "facts" | "state" | "reason" | "versions">;

const direct = { kind: "direct" } as const;

/**
 * The file as it is wherever that gives a person all there is: nothing starts sooner, and nothing costs less. A sound
 * that is heard of the file is not given up for segments in which it would not be. `offered`: what there is in segments, once that
 * is known.
 */
export function deliveryOf(video: Asked, { plays, takes, listsSounds }: Browser, offered?: Presentation): Delivery {
  const { facts } = video;
  if (facts === null || video.state === "unreadable") return direct;
  const [picture] = facts.video;
  const [sound] = facts.audio;
  const sent = facts.audio.filter((each) => takesSegments("audio", each.codec_string, takes));
  if (picture !== undefined && !takesSegments("video", picture.codec_string, takes)) return direct;
  if (picture === undefined && sent.length === 0) return direct;
  const packaged = (why: Why): Delivery => ({ kind: "packaged", why, pictures: sound !== undefined && sent.length === 0 });

  const trouble = troubleOf(video, plays);
  if (!playsContainer(video, plays)) return packaged("container");
  if (trouble?.kind === "video") return packaged("video");
  if (sound !== undefined && known("audio", sound, plays) !== true) return sent.length > 0 ? packaged("sound") : direct;
  if (sound !== undefined && !sent.includes(sound)) return direct;
  if (sound !== undefined && offered !== undefined && !isOffered(sound, facts, offered)) return direct;
  // What the server says of a film counts from its beginning, and a browser takes the clock of the file.
  if (facts.start > CLOSE) return packaged("clock");
  // A browser plays on to the end that a file speaks of, where there is nothing.
  if (facts.until !== null) return packaged("cut");
  // A browser decodes all of a file as its first sample entry says.
  if (facts.recoded) return packaged("coding");
  // A browser plays the first pictures of some files, and the default ones of others.
  if (facts.video.some((each) => picture !== undefined && each.index < picture.index)) return packaged("pictures");
  if (facts.audio.length > 1 && !listsSounds) return packaged("tracks");
  if (video.versions.length > 1) return packaged("sizes");
  return direct;
}

/** Whether a sound of the file is there in segments. Both name the tracks in their order, each by numbers of its own. */
function isOffered(sound: MediaInfo["audio"][number], facts: MediaInfo, { renditions, omitted }: Presentation): boolean {
  const here = renditions.filter(({ kind }) => kind === "audio");
  const all = [...here, ...omitted.filter(({ kind }) => kind === "audio")].sort((one, other) => (one.track ?? 0) - (other.track ?? 0));
  if (all.length !== facts.audio.length) return here.length > 0;
  const place = facts.audio.filter(({ index }) => index < sound.index).length;
  return here.some((each) => each === all[place]);
}

/** How a video comes whose file this browser does not open. */
export function insteadOf({ renditions }: Presentation, { takes }: Pick<Browser, "takes">): Delivery {
  const taken = (wanted: string) => renditions.some(({ kind, codec }) => kind === wanted && takesSegments(kind, codec, takes));
  const [pictures, sound] = (["video", "audio"] as const).map((kind) => renditions.some((each) => each.kind === kind));
  if (pictures ? !taken("video") : !taken("audio")) return direct;
  return { kind: "packaged", why: "refused", pictures: Boolean(sound) && !taken("audio") };
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
