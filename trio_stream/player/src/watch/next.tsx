/** After the end of a video: starts the next one in a few seconds, unless the viewer cancels. */

import { useEffect, useState } from "react";
import type { VideoDetails } from "../api/client";
import { useI18n } from "../i18n";
import { Icon } from "../ui/icons";

const SECONDS = 8;

interface Offer {
  next: NonNullable<VideoDetails["next"]>;
  go: () => void;
  stay: () => void;
}

export function NextUp({ next, go, stay }: Offer) {
  const { t } = useI18n();
  const [left, setLeft] = useState(SECONDS);
  useEffect(() => {
    if (left <= 0) {
      go();
      return;
    }
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left, go]);
  return (
    <section className="next-up" aria-label={t("watch.next")}>
      <p role="timer">{t("watch.upNext", { seconds: left })}</p>
      <h2>{next.title}</h2>
      <div className="actions">
        <button type="button" className="button first" onClick={go}>
          <Icon name="play" />
          {t("watch.playNow")}
        </button>
        <button type="button" className="button" onClick={stay}>
          {t("watch.cancel")}
        </button>
      </div>
    </section>
  );
}
