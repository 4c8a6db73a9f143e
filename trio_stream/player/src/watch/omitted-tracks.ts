/** Which tracks of a video are not played, and why: those the server omits, and those this browser does not support. */

import type { Omitted, Presentation, VideoDetails } from "../api/client";
import type { Browser, Delivery } from "./delivery";
import { type MediaInfo, plays, supportsSegments } from "./formats";

/** The code `browser`: the browser does not support the codec. `reason` is the server's sentence. */
export interface OmittedTrack extends Pick<Omitted, "kind" | "codec" | "language" | "label" | "reason"> {
  code: Omitted["code"] | "browser";
}

/** Whether there may be any. Only then is the presentation requested, for which the server may have to read the whole file. */
export function mayOmitTracks(
  { facts: info }: Pick<VideoDetails, "facts">,
  delivery: Delivery,
  { plays: supports }: Browser,
): boolean {
  if (info === null) return false;
  const [firstAudio] = info.audio;
  const silent = firstAudio !== undefined && plays("audio", firstAudio, supports) !== true;
  return delivery.kind === "packaged" || info.video.length > 1 || info.audio.length > 1 || silent;
}

/** The tracks that are not played with this delivery. In direct play, browsers play the first track of each kind. */
export function omittedTracks(
  { renditions, omitted }: Presentation,
  info: MediaInfo | null,
  delivery: Delivery["kind"],
  { plays: supports, playsSegments }: Browser,
): OmittedTrack[] {
  const direct = delivery === "direct";
  const first = (kind: Omitted["kind"]) =>
    Math.min(...[...renditions, ...omitted].filter((each) => each.kind === kind).map(({ track }) => track));
  const isPlayed = ({ kind, track }: Omitted) => {
    const own = (kind === "video" ? info?.video : info?.audio)?.[0];
    return direct && own !== undefined && track === first(kind) && plays(kind, own, supports) === true;
  };
  const unsupported = direct
    ? []
    : renditions.filter(({ kind, codec }) => kind === "audio" && !supportsSegments(kind, codec, playsSegments));
  return [
    ...omitted.filter((each) => !isPlayed(each)),
    ...unsupported.map(({ kind, codec, language, label }) => ({ kind, codec, language, label, reason: "", code: "browser" as const })),
  ];
}
