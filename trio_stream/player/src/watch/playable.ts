/** Whether this browser plays a video, and which part it does not support if it cannot. */

import type { VideoDetails } from "../api/client";
import { formatName, plays, type Supports } from "./formats";

export type Trouble =
  | { kind: "video" | "audio"; codec: string }
  | { kind: "container"; container: string }
  | { kind: "damaged"; reason: string };

const CONTAINERS: Record<string, string> = {
  "video/x-matroska": "video/webm", // browsers that play WebM also play Matroska with its codecs
  "video/quicktime": "video/mp4",
  "video/x-m4v": "video/mp4",
};

const codecName = ({ codec, codec_string }: { codec: string; codec_string: string | null }) =>
  codec_string === null ? formatName(codec) : `${formatName(codec)} (${codec_string})`;

/**
 * Why the video cannot be played; null if no reason is known. `supports` is `canPlayType`, as a boolean. `noFrames`: it was
 * tried and no frame came, which decides about codecs that cannot be queried.
 */
export function troubleOf(
  video: Pick<VideoDetails, "content_type" | "facts" | "state" | "reason">,
  supports: Supports,
  noFrames = false,
): Trouble | null {
  if (video.state === "unreadable") return { kind: "damaged", reason: video.reason ?? "" };
  const { facts: info } = video;
  if (info === null) return null;
  const firstVideo = info.video[0];
  const firstAudio = info.audio[0];
  const playsVideo = firstVideo === undefined ? true : plays("video", firstVideo, supports);
  if (firstVideo !== undefined && (playsVideo === false || (noFrames && playsVideo === null)))
    return { kind: "video", codec: codecName(firstVideo) };
  if (firstAudio !== undefined && plays("audio", firstAudio, supports) === false)
    return { kind: "audio", codec: codecName(firstAudio) };
  if (!playsContainer(video, supports)) return { kind: "container", container: formatName(info.container) };
  return null;
}

/** Whether a browser supports the container, whatever codecs are in it. */
export const playsContainer = ({ content_type }: Pick<VideoDetails, "content_type">, supports: Supports): boolean =>
  supports(CONTAINERS[content_type] ?? content_type);
