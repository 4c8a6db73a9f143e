/** The page of one video: the player, and the details below it. */

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { request, isGone, type Presentation, type VideoDetails } from "../api/client";
import { presentation, useMay, video as videoOf } from "../api/queries";
import { useI18n } from "../i18n";
import { bitsPerSecond, bytes, clock, fraction } from "../ui/format";
import { Icon } from "../ui/icons";
import { trackName } from "../ui/languages";
import { NoVideo } from "../ui/page-message";
import { type Browser, type Delivery, deliveryOf, thisBrowser } from "./delivery";
import { formatName } from "./formats";
import { withGuestPlayhead } from "./guest-playheads";
import { mayOmitTracks, omittedTracks } from "./omitted-tracks";
import { Player } from "./player";
import { parseTime } from "./position";
import { Rows } from "./rows";
import { Versions } from "./versions";
import "./watch.css";

const opened = performance.timeOrigin > 0 ? 0 : performance.now();

export default function WatchPage({ id }: { id: string }) {
  const search = useSearch();
  const [, navigate] = useLocation();
  const first = useRef(true);
  const requested = useMemo(() => parseTime(new URLSearchParams(search).get("t")), [search]);
  const since = useMemo(() => {
    const start = first.current && document.readyState !== "complete" ? opened : performance.now();
    first.current = false;
    return start;
  }, [id]);
  // The player stays while the next video is loading, and so does full screen.
  const query = useQuery({ ...videoOf(id), placeholderData: keepPreviousData, refetchOnWindowFocus: false });
  const go = useCallback((other: string) => navigate(`/watch/${other}`), [navigate]);
  const queries = useQueryClient();
  const refresh = useCallback(() => {
    for (const key of ["continue", "videos"]) void queries.invalidateQueries({ queryKey: [key] });
  }, [queries]);
  const tracked = useMay("track");
  const details = useMemo(
    () => (query.data === undefined || tracked !== false ? query.data : withGuestPlayhead(query.data)),
    [query.data, tracked],
  );
  useEffect(() => {
    if (details !== undefined) document.title = `${details.title} · Trio Stream`;
  }, [details]);

  if (query.isError && (details === undefined || isGone(query.error)))
    return <NoVideo error={query.error} retry={() => void query.refetch()} />;
  return (
    <article className="watch">
      {details === undefined || tracked === undefined ? (
        <div className="player waiting" aria-hidden="true" />
      ) : (
        <>
          <Player details={details} requested={requested} since={since} go={go} onSaved={refresh} />
          <About details={details} onSaved={refresh} />
        </>
      )}
    </article>
  );
}

interface DetailsProps {
  details: VideoDetails;
  /** Called after the playhead was saved. */
  onSaved: () => void;
}

function About({ details, onSaved }: DetailsProps) {
  const { t, language } = useI18n();
  const { facts: info } = details;
  const firstVideo = info?.video[0];
  const audio = info?.audio ?? [];
  const browser = useMemo(thisBrowser, []);
  const tracked = useMay("track");
  const preferred = useMemo(() => deliveryOf(details, browser), [details, browser]);
  const { data: offered } = useQuery({ ...presentation(details.id), enabled: mayOmitTracks(details, preferred, browser) });
  const delivery = useMemo(() => deliveryOf(details, browser, offered), [details, browser, offered]);
  const fixed = !browser.listsAudioTracks && delivery.kind === "direct";
  const rows: [string, string][] = [[t("watch.path"), details.name]];
  if (firstVideo !== undefined) {
    const rate = firstVideo.frame_rate === null ? "" : `, ${Math.round(fraction(firstVideo.frame_rate) * 100) / 100} fps`;
    rows.push([
      t("watch.video"),
      `${details.width ?? firstVideo.width} × ${details.height ?? firstVideo.height}${rate}, ${formatName(firstVideo.codec)}${firstVideo.hdr ? `, ${firstVideo.hdr}` : ""}`,
    ]);
  }
  if (audio.length > 0)
    rows.push([
      t("watch.audio"),
      audio
        .map((each) => {
          const names = { language, forced: t("player.forced"), hearing: t("player.hearing") };
          return [trackName(each, names), formatName(each.codec), each.layout].filter(Boolean).join(" ");
        })
        .join(", "),
    ]);
  const average = details.duration ? ` (${bitsPerSecond(language, (details.size * 8) / details.duration)})` : "";
  rows.push([t("watch.size"), bytes(language, details.size) + average]);
  rows.push([
    t("watch.added"),
    new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(new Date(details.added)),
  ]);
  return (
    <div className="about">
      <div className="about-head">
        <h1>{details.title}</h1>
        {tracked === true && <Watched details={details} onSaved={onSaved} />}
        <a className="button" href={details.urls.download}>
          {t("watch.download")}
        </a>
        <Link className="button" href={`/socket/${details.id}`}>
          {t("socket.open")}
        </Link>
      </div>
      {info !== null && info.until !== null && details.duration !== null && (
        <p className="remark" role="note">
          {clock(info.until) === clock(details.duration)
            ? t("watch.cut", { until: clock(info.until) })
            : t("watch.cut.of", { until: clock(info.until), whole: clock(details.duration) })}
        </p>
      )}
      {details.description !== "" && <p className="description">{details.description}</p>}
      {details.tags.length > 0 && (
        <ul className="tags">
          {details.tags.map((tag) => (
            <li key={tag}>
              <Link href={`/?q=${encodeURIComponent(tag)}`}>{tag}</Link>
            </li>
          ))}
        </ul>
      )}
      <Neighbours details={details} />
      <Versions id={details.id} versions={details.versions} />
      {info !== null && info.chapters.length > 1 && (
        <section aria-labelledby="chapters">
          <h2 id="chapters">{t("watch.chapters")}</h2>
          <ol className="chapters">
            {info.chapters.map((chapter, index) => (
              <li key={chapter.start}>
                <button type="button" onClick={() => seek(chapter.start)}>
                  <span>{clock(chapter.start)}</span>
                  {chapter.title || index + 1}
                </button>
              </li>
            ))}
          </ol>
        </section>
      )}
      <section aria-labelledby="details">
        <h2 id="details">{t("watch.details")}</h2>
        <Rows className="media-info" rows={rows} />
        {/* Browsers play the first of several tracks, unless they can list them (HTML standard section 4.8.11.10). */}
        {audio.length > 1 && fixed && <p className="remark">{t("player.audio.fixed")}</p>}
        {offered !== undefined && <Omitted {...{ details, delivery, browser, offered }} />}
      </section>
    </div>
  );
}

interface OmittedProps {
  details: VideoDetails;
  delivery: Delivery;
  browser: Browser;
  offered: Presentation;
}

/** The tracks of the file that are not played, each with its reason. */
function Omitted({ details, delivery, browser, offered }: OmittedProps) {
  const { t, language } = useI18n();
  const names = { language, forced: t("player.forced"), hearing: t("player.hearing") };
  const tracks = omittedTracks(offered, details.facts, delivery.kind, browser);
  if (tracks.length === 0 && offered.reason === null) return null;
  return (
    <div className="omitted">
      <h3>{t("watch.omitted")}</h3>
      <ul>
        {tracks.map(({ kind, codec, language: tag, label, code, reason }, index) => {
          const name = trackName({ language: tag, title: label }, names);
          return (
            <li key={index}>
              <span>{[t(`watch.${kind}`), name, formatName(codec)].filter(Boolean).join(" · ")}</span>
              {code === "other" ? <span lang="en">{reason}</span> : <span>{t(`watch.reason.${code}`)}</span>}
            </li>
          );
        })}
        {offered.reason !== null && (
          <li>
            <span>{t("watch.segments")}</span>
            {offered.code === "encrypted" ? <span>{t("watch.reason.encrypted")}</span> : <span lang="en">{offered.reason}</span>}
          </li>
        )}
      </ul>
    </div>
  );
}

function seek(seconds: number): void {
  const video = document.querySelector<HTMLVideoElement>(".player video");
  if (video === null) return;
  video.currentTime = seconds;
  video.scrollIntoView({ block: "end", behavior: "smooth" });
  void video.play().catch(() => undefined);
}

function Watched({ details, onSaved }: DetailsProps) {
  const { t } = useI18n();
  const queries = useQueryClient();
  const watched = details.playhead?.watched ?? false;
  const mark = async () => {
    await request(`/api/videos/${details.id}/playhead`, {
      method: "PUT",
      json: { position: 0, duration: details.duration, watched: !watched },
    });
    await queries.invalidateQueries({ queryKey: ["video"] }); // it applies to all versions
    onSaved();
  };
  return (
    <button type="button" className="button" aria-pressed={watched} onClick={() => void mark()}>
      <Icon name="check" />
      {watched ? t("watch.markUnwatched") : t("watch.markWatched")}
    </button>
  );
}

function Neighbours({ details }: { details: VideoDetails }) {
  const { t } = useI18n();
  const links = [
    [t("watch.previous"), details.previous],
    [t("watch.next"), details.next],
  ] as const;
  if (links.every(([, video]) => video === null)) return null;
  return (
    <nav className="neighbours" aria-label={t("videos")}>
      {links.map(
        ([label, video]) =>
          video !== null && (
            <Link key={video.id} href={`/watch/${video.id}`}>
              <span>{label}</span>
              <strong>{video.title}</strong>
            </Link>
          ),
      )}
    </nav>
  );
}
