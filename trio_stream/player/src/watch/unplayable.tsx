/** A video that this browser does not play: why, and what else can be done with it. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { VideoDetails } from "../api/client";
import { presentation } from "../api/queries";
import { useTexts } from "../i18n";
import { PageMessage } from "../ui/page-message";
import { Elsewhere } from "./elsewhere";
import type { Failure } from "./packaged";
import { type Trouble, troubleOf } from "./playable";

/**
 * What keeps `video` from playing, once it said that it cannot; until then one does not know better than it. `asking`:
 * whether its errors are not the last word, as it comes in segments, or may yet.
 */
export function useTrouble(video: HTMLVideoElement | null, details: VideoDetails, asking: boolean): Trouble | null {
  const [refused, setRefused] = useState<string | null>(null);
  const [pictureless, setPictureless] = useState(false);
  const source = details.urls.file;
  useEffect(() => {
    setRefused(null);
    setPictureless(false);
    if (video === null) return;
    let fine = false;
    const shown = () => (fine = video.videoWidth > 0);
    const failed = () => {
      if (!fine && video.error !== null) setRefused(source);
    };
    // Sound without its picture is no film: browsers play the half they know without a word.
    const half = () => {
      if (asking || video.videoWidth > 0 || (details.facts?.video.length ?? 0) === 0) return;
      video.pause(); // nor does what was heard under the reason count as watched
      setPictureless(true);
      setRefused(source);
    };
    video.addEventListener("loadeddata", shown);
    video.addEventListener("loadeddata", half);
    video.addEventListener("error", failed);
    // It may have failed, or begun with its sound alone, before anybody listened.
    if (video.error !== null) failed();
    else if (video.readyState >= 2) half();
    return () => {
      video.removeEventListener("loadeddata", shown);
      video.removeEventListener("loadeddata", half);
      video.removeEventListener("error", failed);
    };
  }, [video, source, details.facts, asking]);
  if (refused !== source || video === null || (asking && !pictureless)) return null;
  return (
    troubleOf(details, (type) => video.canPlayType(type) !== "", pictureless) ?? {
      kind: "damaged",
      reason: details.reason ?? video.error?.message ?? "",
    }
  );
}

interface Said {
  trouble: Trouble;
  details: VideoDetails;
  /** Why it does not play in segments either, if that was tried. */
  failure: Failure | null;
}

export function Unplayable({ trouble, details, failure }: Said) {
  const { t } = useTexts();
  const { data: offered } = useQuery(presentation(details.id));
  const refused = failure?.kind === "refused" ? failure.reason : offered?.reason;
  const why =
    trouble.kind === "container"
      ? t("watch.unplayable.container", { container: trouble.container })
      : trouble.kind === "damaged"
        ? t("watch.unplayable.damaged", { reason: trouble.reason })
        : t(`watch.unplayable.${trouble.kind}`, { codec: trouble.codec });
  return (
    <div className="unplayable">
      <PageMessage
        alert
        icon="broken"
        title={t(trouble.kind === "damaged" ? "watch.damaged" : "watch.unplayable")}
        actions={<Elsewhere urls={details.urls} />}
      >
        <p>{why}</p>
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
