/** One video: its picture, and below it what is known of it. */

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { request, isGone, type Presentation, type VideoDetails } from "../api/client";
import { presentation, video as videoOf } from "../api/queries";
import { useTexts } from "../i18n";
import { bitsPerSecond, bytes, clock, fraction } from "../ui/format";
import { Icon } from "../ui/icons";
import { trackName } from "../ui/languages";
import { NoVideo } from "../ui/page-message";
import { type Browser, type Delivery, deliveryOf, thisBrowser } from "./delivery";
import { formatName } from "./formats";
import { leftOut, mayLeaveOut } from "./left-out";
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
  const asked = useMemo(() => parseTime(new URLSearchParams(search).get("t")), [search]);
  const since = useMemo(() => {
    const began = first.current && document.readyState !== "complete" ? opened : performance.now();
    first.current = false;
    return began;
  }, [id]);
  // The player stays while the next video is asked for, and with it the full screen.
  const found = useQuery({ ...videoOf(id), placeholderData: keepPreviousData, refetchOnWindowFocus: false });
  const go = useCallback((other: string) => navigate(`/watch/${other}`), [navigate]);
  const queries = useQueryClient();
  const told = useCallback(() => {
    for (const key of ["continue", "videos"]) void queries.invalidateQueries({ queryKey: [key] });
  }, [queries]);
  const details = found.data;
  useEffect(() => {
    if (details !== undefined) document.title = `${details.title} · Trio Stream`;
  }, [details]);

  if (found.isError && (details === undefined || isGone(found.error)))
    return <NoVideo error={found.error} retry={() => void found.refetch()} />;
  return (
    <article className="watch">
      {details === undefined ? (
        <div className="player waiting" aria-hidden="true" />
      ) : (
        <>
          <Player details={details} asked={asked} since={since} go={go} told={told} />
          <About details={details} told={told} />
        </>
      )}
    </article>
  );
}

function About({ details, told }: { details: VideoDetails; told: () => void }) {
  const { t, language } = useTexts();
  const { facts } = details;
  const picture = facts?.video[0];
  const sound = facts?.audio ?? [];
  const browser = useMemo(thisBrowser, []);
  const wanted = useMemo(() => deliveryOf(details, browser), [details, browser]);
  const { data: offered } = useQuery({ ...presentation(details.id), enabled: mayLeaveOut(details, wanted, browser) });
  const delivery = useMemo(() => deliveryOf(details, browser, offered), [details, browser, offered]);
  const fixed = !browser.listsSounds && delivery.kind === "direct";
  const rows: [string, string][] = [[t("watch.path"), details.name]];
  if (picture !== undefined) {
    const rate = picture.frame_rate === null ? "" : `, ${Math.round(fraction(picture.frame_rate) * 100) / 100} fps`;
    rows.push([
      t("watch.video"),
      `${details.width ?? picture.width} × ${details.height ?? picture.height}${rate}, ${formatName(picture.codec)}${picture.hdr ? `, ${picture.hdr}` : ""}`,
    ]);
  }
  if (sound.length > 0)
    rows.push([
      t("watch.audio"),
      sound
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
        <Watched details={details} told={told} />
        <a className="button" href={details.urls.download}>
          {t("watch.download")}
        </a>
        <Link className="button" href={`/socket/${details.id}`}>
          {t("socket.open")}
        </Link>
      </div>
      {facts !== null && facts.until !== null && details.duration !== null && (
        <p className="remark" role="note">
          {clock(facts.until) === clock(details.duration)
            ? t("watch.cut", { until: clock(facts.until) })
            : t("watch.cut.of", { until: clock(facts.until), whole: clock(details.duration) })}
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
      <Beside details={details} />
      <Versions id={details.id} versions={details.versions} />
      {facts !== null && facts.chapters.length > 1 && (
        <section aria-labelledby="chapters">
          <h2 id="chapters">{t("watch.chapters")}</h2>
          <ol className="chapters">
            {facts.chapters.map((chapter, place) => (
              <li key={chapter.start}>
                <button type="button" onClick={() => seek(chapter.start)}>
                  <span>{clock(chapter.start)}</span>
                  {chapter.title || place + 1}
                </button>
              </li>
            ))}
          </ol>
        </section>
      )}
      <section aria-labelledby="details">
        <h2 id="details">{t("watch.details")}</h2>
        <Rows className="facts" rows={rows} />
        {/* Of several tracks browsers play the first, unless they can list them (HTML standard section 4.8.11.10). */}
        {sound.length > 1 && fixed && <p className="remark">{t("player.audio.fixed")}</p>}
        {offered !== undefined && <NotPlayed {...{ details, delivery, browser, offered }} />}
      </section>
    </div>
  );
}

interface Playing {
  details: VideoDetails;
  delivery: Delivery;
  browser: Browser;
  offered: Presentation;
}

/** The tracks of the file that are not played, each with the reason. */
function NotPlayed({ details, delivery, browser, offered }: Playing) {
  const { t, language } = useTexts();
  const names = { language, forced: t("player.forced"), hearing: t("player.hearing") };
  const tracks = leftOut(offered, details.facts, delivery.kind, browser);
  if (tracks.length === 0 && offered.reason === null) return null;
  return (
    <div className="not-played">
      <h3>{t("watch.notPlayed")}</h3>
      <ul>
        {tracks.map(({ kind, codec, language: tag, label, code, reason }, place) => {
          const name = trackName({ language: tag, title: label }, names);
          return (
            <li key={place}>
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

function Watched({ details, told }: { details: VideoDetails; told: () => void }) {
  const { t } = useTexts();
  const queries = useQueryClient();
  const watched = details.playhead?.watched ?? false;
  const mark = async () => {
    await request(`/api/videos/${details.id}/playhead`, {
      method: "PUT",
      json: { position: 0, duration: details.duration, watched: !watched },
    });
    await queries.invalidateQueries({ queryKey: ["video"] }); // it counts for all versions
    told();
  };
  return (
    <button type="button" className="button" aria-pressed={watched} onClick={() => void mark()}>
      <Icon name="check" />
      {watched ? t("watch.markUnwatched") : t("watch.markWatched")}
    </button>
  );
}

function Beside({ details }: { details: VideoDetails }) {
  const { t } = useTexts();
  const links = [
    [t("watch.previous"), details.previous],
    [t("watch.next"), details.next],
  ] as const;
  if (links.every(([, video]) => video === null)) return null;
  return (
    <nav className="beside" aria-label={t("videos")}>
      {links.map(
        ([about, video]) =>
          video !== null && (
            <Link key={video.id} href={`/watch/${video.id}`}>
              <span>{about}</span>
              <strong>{video.title}</strong>
            </Link>
          ),
      )}
    </nav>
  );
}
