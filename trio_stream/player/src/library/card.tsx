/** The card of a video in the library. */

import { memo, useState } from "react";
import { Link } from "wouter";
import type { Video } from "../api/client";
import { useI18n } from "../i18n";
import { Blur } from "../ui/blurhash";
import { clock } from "../ui/format";
import { Icon } from "../ui/icons";

/** The part of a video up to the playhead, 0 to 1. */
export function progressOf(video: Video): number {
  const playhead = video.playhead;
  if (playhead === null || !playhead.duration) return 0;
  return Math.min(1, playhead.position / playhead.duration);
}

export const Card = memo(function Card({ video }: { video: Video }) {
  const { t } = useI18n();
  const part = progressOf(video);
  const watched = video.playhead?.watched ?? false;
  const folder = video.name.includes("/") ? video.name.slice(0, video.name.lastIndexOf("/")) : "";
  return (
    <Link className="card" href={`/watch/${video.id}`}>
      <span className="name">{video.title}</span>
      <span className="about">
        {video.state === "unreadable"
          ? t("unreadable")
          : part > 0 && !watched && video.duration !== null
            ? t("left", { time: clock(video.duration * (1 - part)) })
            : folder}
      </span>
      <span className="poster">
        <Poster video={video} />
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

function Poster({ video }: { video: Video }) {
  const [shown, setShown] = useState(false);
  if (video.poster === null)
    return (
      <span className="no-poster">
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
