/** Which tracks of a video a person does not get, and why: what the server leaves out, and what this browser does. */

import type { MediaInfo, Omitted, Presentation, VideoDetails } from "../api/client";
import type { Browser, Delivery } from "./delivery";
import { plays, takesSegments } from "./formats";

/** `browser`: it does not know the format. `reason` is the server's sentence. */
export interface LeftOut extends Pick<Omitted, "kind" | "codec" | "language" | "label" | "reason"> {
  code: Omitted["code"] | "browser";
}

/** Whether there may be any: the server is asked only then, as it may have to look through the file for the answer. */
export function mayLeaveOut({ facts }: Pick<VideoDetails, "facts">, delivery: Delivery, { plays: supports }: Browser): boolean {
  if (facts === null) return false;
  const [sound] = facts.audio;
  const silent = sound !== undefined && plays("audio", sound, supports) !== true;
  return delivery.kind === "packaged" || facts.video.length > 1 || facts.audio.length > 1 || silent;
}

/** The tracks that are not played as the video comes. Of a file as it lies browsers play the first of each kind. */
export function leftOut(
  { renditions, omitted }: Presentation,
  facts: MediaInfo | null,
  delivery: Delivery["kind"],
  { plays: supports, takes }: Browser,
): LeftOut[] {
  const direct = delivery === "direct";
  const first = (kind: Omitted["kind"]) =>
    Math.min(...[...renditions, ...omitted].filter((each) => each.kind === kind).map(({ track }) => track));
  const played = ({ kind, track }: Omitted) => {
    const own = (kind === "video" ? facts?.video : facts?.audio)?.[0];
    return direct && own !== undefined && track === first(kind) && plays(kind, own, supports) === true;
  };
  const unknown = direct ? [] : renditions.filter(({ kind, codec }) => kind === "audio" && !takesSegments(kind, codec, takes));
  return [
    ...omitted.filter((each) => !played(each)),
    ...unknown.map(({ kind, codec, language, label }) => ({ kind, codec, language, label, reason: "", code: "browser" as const })),
  ];
}
