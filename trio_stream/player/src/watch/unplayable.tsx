/** The message for a video that this browser cannot play: the reason, and what the viewer can do. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { VideoDetails } from "../api/client";
import { presentation } from "../api/queries";
import { useI18n } from "../i18n";
import { PageMessage } from "../ui/page-message";
import { FileActions } from "./file-actions";
import type { Failure } from "./packaged";
import { type Trouble, troubleOf } from "./playable";

/**
 * Why `video` cannot be played; null until it reports an error itself. `pending`: its errors are not final, because it is
 * played in segments or may be yet.
 */
export function useTrouble(video: HTMLVideoElement | null, details: VideoDetails, pending: boolean): Trouble | null {
  const [failedSource, setFailedSource] = useState<string | null>(null);
  const [noFrames, setNoFrames] = useState(false);
  const source = details.urls.file;
  useEffect(() => {
    setFailedSource(null);
    setNoFrames(false);
    if (video === null) return;
    let playable = false;
    const loaded = () => (playable = video.videoWidth > 0);
    const failed = () => {
      if (!playable && video.error !== null) setFailedSource(source);
    };
    // Browsers play audio alone, without an error, if they do not support the video.
    const checkVideo = () => {
      if (pending || video.videoWidth > 0 || (details.facts?.video.length ?? 0) === 0) return;
      video.pause(); // the audio alone does not count as watched
      setNoFrames(true);
      setFailedSource(source);
    };
    video.addEventListener("loadeddata", loaded);
    video.addEventListener("loadeddata", checkVideo);
    video.addEventListener("error", failed);
    // It may have failed, or started with its audio alone, before we listened.
    if (video.error !== null) failed();
    else if (video.readyState >= 2) checkVideo();
    return () => {
      video.removeEventListener("loadeddata", loaded);
      video.removeEventListener("loadeddata", checkVideo);
      video.removeEventListener("error", failed);
    };
  }, [video, source, details.facts, pending]);
  if (failedSource !== source || video === null || (pending && !noFrames)) return null;
  return (
    troubleOf(details, (type) => video.canPlayType(type) !== "", noFrames) ?? {
      kind: "damaged",
      reason: details.reason ?? video.error?.message ?? "",
    }
  );
}

interface Props {
  trouble: Trouble;
  details: VideoDetails;
  /** Why it does not play in segments either, if they were tried. */
  failure: Failure | null;
}

export function Unplayable({ trouble, details, failure }: Props) {
  const { t } = useI18n();
  const { data: offered } = useQuery(presentation(details.id));
  const refused = failure?.kind === "refused" ? failure.reason : offered?.reason;
  const why =
    trouble.kind === "container"
      ? t("watch.unplayable.container", { container: trouble.container })
      : trouble.kind === "damaged"
        ? t("watch.unplayable.damaged")
        : t(`watch.unplayable.${trouble.kind}`, { codec: trouble.codec });
  return (
    <div className="unplayable">
      <PageMessage
        alert
        icon="broken"
        title={t(trouble.kind === "damaged" ? "watch.damaged" : "watch.unplayable")}
        actions={<FileActions urls={details.urls} />}
      >
        <p>{why}</p>
        {trouble.kind === "damaged" && trouble.reason !== "" && (
          <p>
            <q lang="en">{trouble.reason}</q>
          </p>
        )}
        {trouble.kind !== "damaged" && refused && (
          <p>
            {t("watch.unplayable.segments")} <q lang="en">{refused}</q>
          </p>
        )}
        {(failure?.kind === "full" || failure?.kind === "large") && <p>{t(`watch.unplayable.${failure.kind}`)}</p>}
        {trouble.kind !== "damaged" && <p>{t("watch.unplayable.more")}</p>}
      </PageMessage>
    </div>
  );
}
