/** Whether this browser plays a video, and what it does not know if it does not. */

import type { VideoDetails } from "../api/client";

export type Trouble =
  | { kind: "video" | "audio"; codec: string }
  | { kind: "container"; container: string }
  | { kind: "damaged"; reason: string };

type Supports = (type: string) => boolean;

const CONTAINERS: Record<string, string> = {
  "video/x-matroska": "video/webm", // browsers that play WebM take Matroska with its codecs
  "video/quicktime": "video/mp4",
  "video/x-m4v": "video/mp4",
};

const called = ({ codec, codec_string }: { codec: string; codec_string: string | null }) =>
  codec_string === null ? codec.toUpperCase() : `${codec.toUpperCase()} (${codec_string})`;

/** What stands in the way; null if nothing is known to. `supports` is `canPlayType`, as yes or no. */
export function troubleOf(
  video: Pick<VideoDetails, "content_type" | "facts" | "state" | "reason">,
  supports: Supports,
): Trouble | null {
  if (video.state === "unreadable") return { kind: "damaged", reason: video.reason ?? "" };
  const { facts } = video;
  if (facts === null) return null;
  const picture = facts.video[0];
  const sound = facts.audio[0];
  const holds = (kind: string, codec: string | null | undefined) =>
    codec == null || ["mp4", "webm"].some((each) => supports(`${kind}/${each}; codecs="${codec}"`));
  if (picture !== undefined && !holds("video", picture.codec_string)) return { kind: "video", codec: called(picture) };
  if (sound !== undefined && !holds("audio", sound.codec_string)) return { kind: "audio", codec: called(sound) };
  const container = CONTAINERS[video.content_type] ?? video.content_type;
  if (!supports(container)) return { kind: "container", container: facts.container };
  return null;
}
