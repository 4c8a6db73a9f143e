/** How a video is delivered: as the file, unchanged, or in segments that the server builds from it. */

import type { Presentation, VideoDetails } from "../api/client";
import { type MediaInfo, plays as playsTrack, type Supports, supportsSegments } from "./formats";
import { playsContainer, troubleOf } from "./playable";

/** Why a video is delivered in segments: what the unchanged file would not give this browser. */
export type Why = "versions" | "tracks" | "order" | "clock" | "cut" | "coding" | "container" | "audio" | "video" | "refused";

/** `videoOnly`: the browser supports none of the audio that is available in segments. */
export type Delivery = { kind: "direct" } | { kind: "packaged"; why: Why; videoOnly: boolean };

const CLOCK_TOLERANCE = 0.05; // seconds

export interface Browser {
  /** `canPlayType`, as a boolean. */
  plays: Supports;
  /** `MediaSource.isTypeSupported`. */
  playsSegments: Supports;
  /** Whether it lists the audio tracks of a file, so that viewers can choose. */
  listsAudioTracks: boolean;
}

type Deliverable = Pick<VideoDetails, "content_type" | "facts" | "state" | "reason" | "versions">;

const direct = { kind: "direct" } as const;

/**
 * Direct play if it gives viewers everything: nothing starts sooner or costs less. Audio that plays in the file is not
 * given up for segments that lack it. `offered`: what is available in segments, once that is known.
 */
export function deliveryOf(
  video: Deliverable,
  { plays, playsSegments, listsAudioTracks }: Browser,
  offered?: Presentation,
): Delivery {
  const { facts: info } = video;
  if (info === null || video.state === "unreadable") return direct;
  const [firstVideo] = info.video;
  const [firstAudio] = info.audio;
  const segmentedAudio = info.audio.filter((each) => supportsSegments("audio", each.codec_string, playsSegments));
  if (firstVideo !== undefined && !supportsSegments("video", firstVideo.codec_string, playsSegments)) return direct;
  if (firstVideo === undefined && segmentedAudio.length === 0) return direct;
  const packaged = (why: Why): Delivery => ({
    kind: "packaged",
    why,
    videoOnly: firstAudio !== undefined && segmentedAudio.length === 0,
  });

  const trouble = troubleOf(video, plays);
  if (!playsContainer(video, plays)) return packaged("container");
  if (trouble?.kind === "video") return packaged("video");
  if (firstAudio !== undefined && playsTrack("audio", firstAudio, plays) !== true)
    return segmentedAudio.length > 0 ? packaged("audio") : direct;
  if (firstAudio !== undefined && !segmentedAudio.includes(firstAudio)) return direct;
  if (firstAudio !== undefined && offered !== undefined && !isOffered(firstAudio, info, offered)) return direct;
  // The server's times start at zero; a browser uses the timestamps of the file.
  if (info.start > CLOCK_TOLERANCE) return packaged("clock");
  // A browser plays on to the end that the file declares, where nothing is.
  if (info.until !== null) return packaged("cut");
  // A browser decodes all of a file with its first sample entry.
  if (info.recoded) return packaged("coding");
  // A browser plays the first video track of some files, and the default one of others.
  if (info.video.some((each) => firstVideo !== undefined && each.index < firstVideo.index)) return packaged("order");
  if (info.audio.length > 1 && !listsAudioTracks) return packaged("tracks");
  if (video.versions.length > 1) return packaged("versions");
  return direct;
}

/** Whether this audio track is available in segments. Both list the tracks in the same order, with different numbers. */
function isOffered(track: MediaInfo["audio"][number], info: MediaInfo, { renditions, omitted }: Presentation): boolean {
  const available = renditions.filter(({ kind }) => kind === "audio");
  const all = [...available, ...omitted.filter(({ kind }) => kind === "audio")].sort((one, other) => (one.track ?? 0) - (other.track ?? 0));
  if (all.length !== info.audio.length) return available.length > 0;
  const position = info.audio.filter(({ index }) => index < track.index).length;
  return available.some((each) => each === all[position]);
}

/** How a video is delivered if this browser cannot open its file. */
export function fallbackOf({ renditions }: Presentation, { playsSegments }: Pick<Browser, "playsSegments">): Delivery {
  const supported = (wanted: string) =>
    renditions.some(({ kind, codec }) => kind === wanted && supportsSegments(kind, codec, playsSegments));
  const [hasVideo, hasAudio] = (["video", "audio"] as const).map((kind) => renditions.some((each) => each.kind === kind));
  if (hasVideo ? !supported("video") : !supported("audio")) return direct;
  return { kind: "packaged", why: "refused", videoOnly: Boolean(hasAudio) && !supported("audio") };
}

/** What this browser supports. */
export function thisBrowser(): Browser {
  const video = document.createElement("video");
  return {
    plays: (type) => video.canPlayType(type) !== "",
    playsSegments: (type) => typeof MediaSource !== "undefined" && MediaSource.isTypeSupported(type),
    listsAudioTracks: "audioTracks" in HTMLMediaElement.prototype,
  };
}
