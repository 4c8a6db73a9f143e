/** The picture and everything one does to it. */

import { Controls, Hotkey, Time } from "@videojs/react";
import { Video } from "@videojs/react/video";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import type { VideoDetails } from "../api/client";
import { useTexts } from "../i18n";
import { clock, fraction } from "../ui/format";
import { Icon } from "../ui/icons";
import { closest } from "../ui/languages";
import { savePreference, loadPreference } from "../ui/storage";
import { Skin } from "../ui/skin";
import { IconSelect } from "../ui/icon-select";
import { useChapters, useKeysOfThePage, useMediaSession } from "./effects";
import { Keys } from "./keys";
import { NextUp } from "./next";
import { soundNames, usePackagedIfNeeded } from "./packaged";
import { usePlayhead } from "./playhead";
import { startOf } from "./position";
import { useRecovery } from "./recovery";
import { useSilence } from "./silence";
import { SilentBelow, SilentHere } from "./silent";
import { Stats, useMeasured } from "./stats";
import { chosen, textsOf } from "./tracks";
import { Unplayable, useTrouble } from "./unplayable";

interface Playing {
  details: VideoDetails;
  /** Seconds the address asks for. */
  asked: number | null;
  /** When the video was wanted, in milliseconds of the page. */
  since: number;
  go: (id: string) => void;
  /** Called when the server has been told of a playhead. */
  told: () => void;
}

export function Player({ details, asked, since, go, told }: Playing) {
  const { t, language } = useTexts();
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  const [ended, setEnded] = useState(false);
  const keys = useRef<HTMLDialogElement>(null);
  const [stats, setStats] = useState(false);
  const container = useMemo(() => video?.closest<HTMLElement>(".video-skin") ?? null, [video]);
  const packaged = usePackagedIfNeeded(video, details);
  const source = packaged.source;

  const next = details.next;
  const previous = details.previous;
  const goNext = useMemo(() => (next === null ? null : () => go(next.id)), [next, go]);
  const goPrevious = useMemo(() => (previous === null ? null : () => go(previous.id)), [previous, go]);

  const lost = useRecovery(video, source, packaged.reload);
  const measured = useMeasured(video, source, since);
  const trouble = useTrouble(video, details, packaged.asking);
  const silence = useSilence(video, details, packaged.delivery.kind, packaged.without);
  usePlayhead(video, details, told);
  useChapters(video, details);
  useMediaSession(video, details, { next: goNext, previous: goPrevious });
  useKeysOfThePage(container);
  const resumed = useStart(video, details, asked);
  useRememberedVolume(video);
  useRememberedSubtitles(video);

  const hear = useCallback(
    (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || video === null) return;
      const step = { ",": -1, ".": 1 }[event.key];
      if (step !== undefined && video.paused) {
        video.currentTime += step / fraction(details.facts?.video[0]?.frame_rate ?? "25");
      } else if (event.key === "?") keys.current?.showModal();
      else if (event.key === "N") goNext?.();
      else return;
      event.preventDefault();
    },
    [video, details, goNext],
  );
  useEffect(() => {
    container?.addEventListener("keydown", hear);
    return () => container?.removeEventListener("keydown", hear);
  }, [container, hear]);

  useEffect(() => {
    setEnded(false);
    if (video === null) return;
    const over = () => setEnded(true);
    const on = () => setEnded(false);
    video.addEventListener("ended", over);
    video.addEventListener("playing", on);
    video.addEventListener("seeking", on);
    return () => {
      video.removeEventListener("ended", over);
      video.removeEventListener("playing", on);
      video.removeEventListener("seeking", on);
    };
  }, [video, source]);

  const names = useMemo(
    () => ({
      language,
      forced: t("player.forced"),
      hearing: t("player.hearing"),
      track: (number: number) => t("player.track", { number }),
    }),
    [language, t],
  );
  const texts = useMemo(
    () => textsOf(details.subtitles, navigator.languages, names),
    [details.subtitles, names],
  );
  const called = useMemo(() => soundNames(packaged.sounds, names), [packaged.sounds, names]);
  const shown = chosen(texts, loadPreference("subtitles"), spoken(details, packaged.direct));

  return (
    <>
      <div className="player" data-arrows="own">
        <Skin>
          <Video ref={setVideo} src={packaged.direct ? source : undefined} poster={details.poster ?? undefined} autoPlay playsInline preload="auto">
            {texts.map((each, place) => (
              <track
                key={each.url}
                kind="subtitles"
                src={each.url}
                label={each.label}
                srcLang={each.language}
                default={place === shown}
              />
            ))}
            {details.thumbnails !== null && (
              <track key="thumbnails" kind="metadata" label="thumbnails" src={details.thumbnails.track} default />
            )}
          </Video>
          {/* The first that is bound to a key has it: the skin's own steps are all of 10 seconds. */}
          <Hotkey keys="ArrowRight" action="seekStep" value={5} />
          <Hotkey keys="ArrowLeft" action="seekStep" value={-5} />
          <Above title={details.title}>
            {packaged.sounds.length > 1 && (
              <IconSelect
                icon="audio"
                label={t("player.sound")}
                value={String(packaged.sound)}
                choose={(id) => packaged.chooseSound(Number(id))}
              >
                {packaged.sounds.map(({ id }, place) => (
                  <option key={id} value={id}>
                    {called[place]}
                  </option>
                ))}
              </IconSelect>
            )}
            {packaged.qualities.length > 1 && (
              <IconSelect
                icon="quality"
                label={t("player.quality")}
                value={String(packaged.quality)}
                choose={(id) => packaged.chooseQuality(Number(id))}
              >
                <option value={-1}>{t("player.quality.auto")}</option>
                {packaged.qualities.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </IconSelect>
            )}
            <button
              type="button"
              className="icon-button"
              aria-label={t("player.stats")}
              aria-pressed={stats}
              onClick={() => setStats(!stats)}
            >
              <Icon name="pulse" />
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label={t("player.keys")}
              onClick={() => keys.current?.showModal()}
            >
              <Icon name="keyboard" />
            </button>
            {goNext !== null && (
              <button type="button" className="icon-button" aria-label={t("player.next")} onClick={goNext}>
                <Icon name="next" />
              </button>
            )}
          </Above>
          {stats && video !== null && <Stats video={video} details={details} measured={measured} delivery={packaged.delivery} />}
          {resumed !== null && video !== null && <Resumed at={resumed} video={video} key={details.id} />}
          {lost === "reconnecting" && (
            <p className="lost" role="status">
              <span className="spinner" aria-hidden="true" />
              {t("watch.reconnecting")}
            </p>
          )}
          {silence !== null && trouble === null && video !== null && (
            <SilentHere key={details.id} silence={silence} video={video} />
          )}
          {ended && next !== null && goNext !== null && (
            <NextUp key={next.id} next={next} go={goNext} stay={() => setEnded(false)} />
          )}
          {trouble !== null && <Unplayable trouble={trouble} details={details} failure={packaged.failed} />}
          {lost === "failed" && trouble === null && (
            <Unplayable
              trouble={{ kind: "damaged", reason: video?.error?.message ?? "" }}
              details={details}
              failure={packaged.failed}
            />
          )}
        </Skin>
      </div>
      {packaged.passed > 0 && trouble === null && (
        <p className="remark" role="note">
          {t("watch.passed", { count: Math.round(packaged.passed) || 1 })}
        </p>
      )}
      {silence !== null && trouble === null && <SilentBelow silence={silence} details={details} />}
      <Keys dialog={keys} />
    </>
  );
}

/** The language of the sound that plays at first: in segments it is chosen, else it is the first of the file. */
function spoken({ facts }: VideoDetails, direct: boolean): string | null {
  const sounds = facts?.audio ?? [];
  const heard = direct ? undefined : closest(sounds, loadPreference("sound"));
  return (heard ?? sounds[0])?.language ?? null;
}

function Above({ title, children }: { title: string; children: ReactNode }) {
  const { t } = useTexts();
  return (
    <Controls.Root>
      <Controls.Content className="above">
        <Link className="icon-button" href="/" aria-label={t("player.theater")}>
          <Icon name="back" />
        </Link>
        <p className="above-title">{title}</p>
        <Time.Value type="remaining" className="above-time" />
        {children}
      </Controls.Content>
    </Controls.Root>
  );
}

/** Begin where it was stopped, or where the address says; answers the second, if that is not the beginning. */
function useStart(video: HTMLVideoElement | null, details: VideoDetails, asked: number | null): number | null {
  const [from, setFrom] = useState<number | null>(null);
  const id = details.id;
  // What the server knew when the video was opened; what is told it since is no reason to go anywhere.
  const start = useMemo(() => startOf(details, asked), [id, asked]);
  useEffect(() => {
    setFrom(null);
    if (video === null || start <= 0) return;
    const go = () => {
      video.currentTime = start;
      if (asked === null) setFrom(start);
    };
    if (video.readyState >= 1) go();
    else video.addEventListener("loadedmetadata", go, { once: true });
    return () => video.removeEventListener("loadedmetadata", go);
  }, [video, id, start, asked]);
  return from;
}

const SAID = 6; // seconds of the video, after which nobody wants to begin again

function Resumed({ at, video }: { at: number; video: HTMLVideoElement }) {
  const { t } = useTexts();
  const [shown, setShown] = useState(true);
  useEffect(() => {
    // Not of the clock: what has not begun yet, or was paused at once, has not been answered either.
    const look = () => {
      if (Math.abs(video.currentTime - at) > SAID) setShown(false);
    };
    video.addEventListener("timeupdate", look);
    return () => video.removeEventListener("timeupdate", look);
  }, [video, at]);
  if (!shown) return null;
  return (
    <div className="resumed" role="status">
      <span>{t("watch.resumed", { time: clock(at) })}</span>
      <button
        type="button"
        onClick={() => {
          video.currentTime = 0;
          setShown(false);
        }}
      >
        {t("watch.fromStart")}
      </button>
    </div>
  );
}

function useRememberedVolume(video: HTMLVideoElement | null): void {
  useEffect(() => {
    if (video === null) return;
    const volume = Number.parseFloat(loadPreference("volume") ?? "1");
    if (volume >= 0 && volume <= 1) video.volume = volume;
    const keep = () => savePreference("volume", String(video.volume));
    video.addEventListener("volumechange", keep);
    return () => video.removeEventListener("volumechange", keep);
  }, [video]);
}

/** The language of the subtitles that show, or that none do, is remembered for the next video. */
function useRememberedSubtitles(video: HTMLVideoElement | null): void {
  useEffect(() => {
    if (video === null) return;
    const keep = () => {
      const subtitles = [...video.textTracks].filter((each) => each.kind === "subtitles");
      if (subtitles.length === 0) return;
      const showing = subtitles.find((each) => each.mode === "showing");
      savePreference("subtitles", showing === undefined ? "off" : showing.language || null);
    };
    // Only what a person changes: while a video is loaded its tracks change by themselves.
    const begin = () => video.textTracks.addEventListener("change", keep);
    const end = () => video.textTracks.removeEventListener("change", keep);
    if (!video.paused && video.readyState >= 3) begin();
    video.addEventListener("playing", begin);
    video.addEventListener("emptied", end);
    return () => {
      end();
      video.removeEventListener("playing", begin);
      video.removeEventListener("emptied", end);
    };
  }, [video]);
}
