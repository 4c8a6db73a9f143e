/** A video that plays without its sound: a word over the picture, and below it what can be done. */

import { useEffect, useState } from "react";
import type { VideoDetails } from "../api/client";
import { useTexts } from "../i18n";
import { Icon } from "../ui/icons";
import { Elsewhere } from "./elsewhere";
import type { Silence } from "./silence";

function useWhy({ by, formats }: Silence): string {
  const { t, language } = useTexts();
  const named = new Intl.ListFormat(language, { type: "conjunction" }).format(formats);
  return t(`watch.silent.${by}`, { count: formats.length, formats: named });
}

const SAID = 10; // seconds of the video, after which it was read, or is not wanted

/** Over the picture, until it is put away or was there for a while. */
export function SilentHere({ silence, video }: { silence: Silence; video: HTMLVideoElement }) {
  const { t } = useTexts();
  const why = useWhy(silence);
  const [shown, setShown] = useState(true);
  useEffect(() => {
    const since = video.currentTime;
    const look = () => {
      if (Math.abs(video.currentTime - since) > SAID) setShown(false);
    };
    video.addEventListener("timeupdate", look);
    return () => video.removeEventListener("timeupdate", look);
  }, [video]);
  if (!shown) return null;
  return (
    <div className="silent-here">
      <Icon name="silent" />
      <p>
        <strong>{t("watch.silent")}</strong> {why}
      </p>
      <button type="button" className="icon-button" aria-label={t("close")} onClick={() => setShown(false)}>
        <Icon name="clear" />
      </button>
    </div>
  );
}

/** Below the picture, for as long as it is so. */
export function SilentBelow({ silence, details }: { silence: Silence; details: VideoDetails }) {
  const { t } = useTexts();
  const why = useWhy(silence);
  return (
    <section className="silent-below" role="status">
      <Icon name="silent" />
      <div>
        <h2>{t("watch.silent")}</h2>
        <p>
          {why} {t("watch.silent.more")}
        </p>
      </div>
      <div className="actions">
        <Elsewhere urls={details.urls} />
      </div>
    </section>
  );
}
