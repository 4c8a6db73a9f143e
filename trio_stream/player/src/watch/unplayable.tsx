/** A video that this browser does not play: why, and what else can be done with it. */

import { useEffect, useState } from "react";
import type { VideoDetails } from "../api/client";
import { useTexts } from "../i18n";
import { State } from "../ui/state";
import { type Trouble, troubleOf } from "./playable";

/** What keeps `video` from playing, once it said that it cannot; until then one does not know better than it. */
export function useTrouble(video: HTMLVideoElement | null, details: VideoDetails): Trouble | null {
  const [refused, setRefused] = useState<string | null>(null);
  const source = details.urls.file;
  useEffect(() => {
    setRefused(null);
    if (video === null) return;
    let fine = false;
    const shown = () => (fine = video.videoWidth > 0);
    const failed = () => {
      if (!fine && video.error !== null) setRefused(source);
    };
    // Sound without its picture is no film: browsers play the half they know without a word.
    const half = () => {
      if (video.videoWidth === 0 && (details.facts?.video.length ?? 0) > 0) setRefused(source);
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
  }, [video, source, details.facts]);
  if (refused !== source || video === null) return null;
  return (
    troubleOf(details, (type) => video.canPlayType(type) !== "") ?? {
      kind: "damaged",
      reason: details.reason ?? video.error?.message ?? "",
    }
  );
}

export function Unplayable({ trouble, details }: { trouble: Trouble; details: VideoDetails }) {
  const { t } = useTexts();
  const [copied, setCopied] = useState(false);
  const why =
    trouble.kind === "container"
      ? t("watch.unplayable.container", { container: trouble.container })
      : trouble.kind === "damaged"
        ? t("watch.unplayable.damaged", { reason: trouble.reason })
        : t(`watch.unplayable.${trouble.kind}`, { codec: trouble.codec });
  const copy = () => {
    navigator.clipboard?.writeText(new URL(details.urls.file, location.href).href).then(
      () => setCopied(true),
      () => undefined,
    );
  };
  return (
    <div className="unplayable">
      <State
        alert
        icon="broken"
        title={t(trouble.kind === "damaged" ? "watch.damaged" : "watch.unplayable")}
        actions={
          <>
            <a className="button first" href={details.urls.download}>
              {t("watch.download")}
            </a>
            {navigator.clipboard !== undefined && (
              <button type="button" className="button" onClick={copy}>
                {copied ? t("watch.copied") : t("watch.copy")}
              </button>
            )}
          </>
        }
      >
        <p>{why}</p>
        {trouble.kind !== "damaged" && <p>{t("watch.unplayable.more")}</p>}
      </State>
    </div>
  );
}
