/** Whether this browser plays a video, and what it does not know if it does not. */

import type { VideoDetails } from "../api/client";
import { formatName, plays, type Supports } from "./formats";

export type Trouble =
  | { kind: "video" | "audio"; codec: string }
  | { kind: "container"; container: string }
  | { kind: "damaged"; reason: string };

const CONTAINERS: Record<string, string> = {
  "video/x-matroska": "video/webm", // browsers that play WebM take Matroska with its codecs
  "video/quicktime": "video/mp4",
  "video/x-m4v": "video/mp4",
};

const called = ({ codec, codec_string }: { codec: string; codec_string: string | null }) =>
  codec_string === null ? formatName(codec) : `${formatName(codec)} (${codec_string})`;

/**
 * What stands in the way; null if nothing is known to. `supports` is `canPlayType`, as yes or no. `pictureless`: it was
 * tried, and no picture came, which tells of formats that one cannot ask for.
 */
export function troubleOf(
  video: Pick<VideoDetails, "content_type" | "facts" | "state" | "reason">,
  supports: Supports,
  pictureless = false,
): Trouble | null {
  if (video.state === "unreadable") return { kind: "damaged", reason: video.reason ?? "" };
  const { facts } = video;
  if (facts === null) return null;
  const picture = facts.video[0];
  const sound = facts.audio[0];
  const shown = picture === undefined ? true : plays("video", picture, supports);
  if (picture !== undefined && (shown === false || (pictureless && shown === null)))
    return { kind: "video", codec: called(picture) };
  if (sound !== undefined && plays("audio", sound, supports) === false) return { kind: "audio", codec: called(sound) };
  if (!playsContainer(video, supports)) return { kind: "container", container: formatName(facts.container) };
  return null;
}

/** Whether a browser plays files of its kind, whatever is in them. */
export const playsContainer = ({ content_type }: Pick<VideoDetails, "content_type">, supports: Supports): boolean =>
  supports(CONTAINERS[content_type] ?? content_type);
