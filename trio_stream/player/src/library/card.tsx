/** One video among others. */

import { memo, useState } from "react";
import { Link } from "wouter";
import type { Video } from "../api/client";
import { useTexts } from "../i18n";
import { Blur } from "../ui/blurhash";
import { clock } from "../ui/format";
import { Icon } from "../ui/icons";

/** The part of a video that was seen, 0 to 1; what was watched to its end is seen, wherever it stands now. */
export function seen(video: Video): number {
  const playhead = video.playhead;
  if (playhead === null || !playhead.duration) return 0;
  return Math.min(1, playhead.position / playhead.duration);
}

export const Card = memo(function Card({ video }: { video: Video }) {
  const { t } = useTexts();
  const part = seen(video);
  const watched = video.playhead?.watched ?? false;
  const around = video.name.includes("/") ? video.name.slice(0, video.name.lastIndexOf("/")) : "";
  return (
    <Link className="card" href={`/watch/${video.id}`}>
      <span className="name">{video.title}</span>
      <span className="about">
        {video.state === "unreadable"
          ? t("unreadable")
          : part > 0 && !watched && video.duration !== null
            ? t("left", { time: clock(video.duration * (1 - part)) })
            : around}
      </span>
      <span className="picture">
        <Picture video={video} />
        {video.duration !== null && <span className="badge">{clock(video.duration)}</span>}
        {watched && (
          <span className="badge seen">
            <Icon name="check" />
            <span className="hidden">{t("watched")}</span>
          </span>
        )}
        {part > 0 && !watched && (
          <span className="progress">
            <span style={{ width: `${Math.max(2, part * 100)}%` }} />
          </span>
        )}
      </span>
    </Link>
  );
});

function Picture({ video }: { video: Video }) {
  const [shown, setShown] = useState(false);
  if (video.poster === null)
    return (
      <span className="no-picture">
        <Icon name={video.state === "unreadable" ? "broken" : "film"} />
      </span>
    );
  return (
    <>
      {video.blurhash !== null && !shown && <Blur hash={video.blurhash} />}
      <img
        className={shown ? "shown" : undefined}
        src={video.poster}
        alt=""
        decoding="async"
        draggable={false}
        onLoad={() => setShown(true)}
      />
    </>
  );
}
