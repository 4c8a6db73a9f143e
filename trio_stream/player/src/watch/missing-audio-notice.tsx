/** Notices that a video plays without its audio: over the video, and below it with what the viewer can do. */

import { useEffect, useState } from "react";
import type { VideoDetails } from "../api/client";
import { useI18n } from "../i18n";
import { Icon } from "../ui/icons";
import { FileActions } from "./file-actions";
import type { MissingAudio } from "./missing-audio";

function useReason({ by, formats }: MissingAudio): string {
  const { t, language } = useI18n();
  const names = new Intl.ListFormat(language, { type: "conjunction" }).format(formats);
  return t(`watch.silent.${by}`, { count: formats.length, formats: names });
}

const SHOWN_FOR = 10; // seconds of the video

/** Over the video, until it is closed or was shown for a while. */
export function MissingAudioOverlay({ missing, video }: { missing: MissingAudio; video: HTMLVideoElement }) {
  const { t } = useI18n();
  const reason = useReason(missing);
  const [shown, setShown] = useState(true);
  useEffect(() => {
    const since = video.currentTime;
    const update = () => {
      if (Math.abs(video.currentTime - since) > SHOWN_FOR) setShown(false);
    };
    video.addEventListener("timeupdate", update);
    return () => video.removeEventListener("timeupdate", update);
  }, [video]);
  if (!shown) return null;
  return (
    <div className="no-audio-overlay">
      <Icon name="silent" />
      <p>
        <strong>{t("watch.silent")}</strong> {reason}
      </p>
      <button type="button" className="icon-button" aria-label={t("close")} onClick={() => setShown(false)}>
        <Icon name="clear" />
      </button>
    </div>
  );
}

/** Below the video, for as long as its audio is missing. */
export function MissingAudioNotice({ missing, details }: { missing: MissingAudio; details: VideoDetails }) {
  const { t } = useI18n();
  const reason = useReason(missing);
  return (
    <section className="no-audio-notice" role="status">
      <Icon name="silent" />
      <div>
        <h2>{t("watch.silent")}</h2>
        <p>
          {reason} {t("watch.silent.more")}
        </p>
      </div>
      <div className="actions">
        <FileActions urls={details.urls} />
      </div>
    </section>
  );
}
