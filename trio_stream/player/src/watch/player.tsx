/** The player of the watch page: the video with its controls, menus, messages and shortcuts. */

import { Controls, Hotkey, Time } from "@videojs/react";
import { Video } from "@videojs/react/video";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import type { VideoDetails } from "../api/client";
import { useI18n } from "../i18n";
import { clock, fraction } from "../ui/format";
import { Icon } from "../ui/icons";
import { closest } from "../ui/languages";
import { savePreference, loadPreference } from "../ui/storage";
import { Skin } from "../ui/skin";
import { IconSelect } from "../ui/icon-select";
import { useChapters, usePageKeys, useMediaSession } from "./effects";
import { Keys } from "./keys";
import { NextUp } from "./next";
import { audioTrackNames, usePackagedIfNeeded } from "./packaged";
import { usePlayhead } from "./playhead";
import { startOf } from "./position";
import { useRecovery } from "./recovery";
import { useMissingAudio } from "./missing-audio";
import { MissingAudioNotice, MissingAudioOverlay } from "./missing-audio-notice";
import { Stats, useMeasured } from "./stats";
import { initialSubtitles, subtitleTracks } from "./subtitles";
import { Unplayable, useTrouble } from "./unplayable";

interface PlayerProps {
  details: VideoDetails;
  /** The start that the URL requests, in seconds. */
  requested: number | null;
  /** When the video was requested, in milliseconds of the page. */
  since: number;
  go: (id: string) => void;
  /** Called after the playhead was saved. */
  onSaved: () => void;
}

export function Player({ details, requested, since, go, onSaved }: PlayerProps) {
  const { t, language } = useI18n();
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

  const connection = useRecovery(video, source, packaged.reload);
  const measured = useMeasured(video, source, since);
  const trouble = useTrouble(video, details, packaged.pending);
  const missingAudio = useMissingAudio(video, details, packaged.delivery.kind, packaged.withoutAudio);
  usePlayhead(video, details, onSaved);
  useChapters(video, details);
  useMediaSession(video, details, { next: goNext, previous: goPrevious });
  usePageKeys(container);
  const resumed = useStart(video, details, requested);
  useRememberedVolume(video);
  useRememberedSubtitles(video);

  const onKey = useCallback(
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
    container?.addEventListener("keydown", onKey);
    return () => container?.removeEventListener("keydown", onKey);
  }, [container, onKey]);

  useEffect(() => {
    setEnded(false);
    if (video === null) return;
    const onEnded = () => setEnded(true);
    const onResumed = () => setEnded(false);
    video.addEventListener("ended", onEnded);
    video.addEventListener("playing", onResumed);
    video.addEventListener("seeking", onResumed);
    return () => {
      video.removeEventListener("ended", onEnded);
      video.removeEventListener("playing", onResumed);
      video.removeEventListener("seeking", onResumed);
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
  const subtitles = useMemo(
    () => subtitleTracks(details.subtitles, navigator.languages, names),
    [details.subtitles, names],
  );
  const audioNames = useMemo(() => audioTrackNames(packaged.audioTracks, names), [packaged.audioTracks, names]);
  const shown = initialSubtitles(subtitles, loadPreference("subtitles"), audioLanguage(details, packaged.direct));

  return (
    <>
      <div className="player" data-arrows="own">
        <Skin>
          <Video ref={setVideo} src={packaged.direct ? source : undefined} poster={details.poster ?? undefined} autoPlay playsInline preload="auto">
            {subtitles.map((each, index) => (
              <track
                key={each.url}
                kind="subtitles"
                src={each.url}
                label={each.label}
                srcLang={each.language}
                default={index === shown}
              />
            ))}
            {details.thumbnails !== null && (
              <track key="thumbnails" kind="metadata" label="thumbnails" src={details.thumbnails.track} default />
            )}
          </Video>
          {/* The first binding of a key wins: the skin's own steps are 10 seconds. */}
          <Hotkey keys="ArrowRight" action="seekStep" value={5} />
          <Hotkey keys="ArrowLeft" action="seekStep" value={-5} />
          <TopBar title={details.title}>
            {packaged.audioTracks.length > 1 && (
              <IconSelect
                icon="audio"
                label={t("player.audio")}
                value={String(packaged.audioTrack)}
                choose={(id) => packaged.chooseAudio(Number(id))}
              >
                {packaged.audioTracks.map(({ id }, index) => (
                  <option key={id} value={id}>
                    {audioNames[index]}
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
          </TopBar>
          {stats && video !== null && <Stats video={video} details={details} measured={measured} delivery={packaged.delivery} />}
          {resumed !== null && video !== null && <Resumed at={resumed} video={video} key={details.id} />}
          {connection === "reconnecting" && (
            <p className="lost" role="status">
              <span className="spinner" aria-hidden="true" />
              {t("watch.reconnecting")}
            </p>
          )}
          {missingAudio !== null && trouble === null && video !== null && (
            <MissingAudioOverlay key={details.id} missing={missingAudio} video={video} />
          )}
          {ended && next !== null && goNext !== null && (
            <NextUp key={next.id} next={next} go={goNext} stay={() => setEnded(false)} />
          )}
          {trouble !== null && <Unplayable trouble={trouble} details={details} failure={packaged.failed} />}
          {connection === "failed" && trouble === null && (
            <Unplayable
              trouble={{ kind: "damaged", reason: video?.error?.message ?? "" }}
              details={details}
              failure={packaged.failed}
            />
          )}
        </Skin>
      </div>
      {packaged.skipped > 0 && trouble === null && (
        <p className="remark" role="note">
          {t("watch.skipped", { count: Math.round(packaged.skipped) || 1 })}
        </p>
      )}
      {missingAudio !== null && trouble === null && <MissingAudioNotice missing={missingAudio} details={details} />}
      <Keys dialog={keys} />
    </>
  );
}

/** The language of the audio at the start: in segments the one chosen last time, else that of the first track. */
function audioLanguage({ facts: info }: VideoDetails, direct: boolean): string | null {
  const tracks = info?.audio ?? [];
  const chosen = direct ? undefined : closest(tracks, loadPreference("sound"));
  return (chosen ?? tracks[0])?.language ?? null;
}

function TopBar({ title, children }: { title: string; children: ReactNode }) {
  const { t } = useI18n();
  return (
    <Controls.Root>
      <Controls.Content className="above">
        <Link className="icon-button" href="/" aria-label={t("player.back")}>
          <Icon name="back" />
        </Link>
        <p className="above-title">{title}</p>
        <Time.Value type="remaining" className="above-time" />
        {children}
      </Controls.Content>
    </Controls.Root>
  );
}

/** Starts at the playhead, or where the URL says. Returns the second it resumed at, if not at the beginning. */
function useStart(video: HTMLVideoElement | null, details: VideoDetails, requested: number | null): number | null {
  const [resumedAt, setResumedAt] = useState<number | null>(null);
  const id = details.id;
  // The playhead from when the video was opened: later updates of it must not seek.
  const start = useMemo(() => startOf(details, requested), [id, requested]);
  useEffect(() => {
    setResumedAt(null);
    if (video === null || start <= 0) return;
    const go = () => {
      video.currentTime = start;
      if (requested === null) setResumedAt(start);
    };
    if (video.readyState >= 1) go();
    else video.addEventListener("loadedmetadata", go, { once: true });
    return () => video.removeEventListener("loadedmetadata", go);
  }, [video, id, start, requested]);
  return resumedAt;
}

const RESUMED_FOR = 6; // seconds of the video for which "Start over" is offered

function Resumed({ at, video }: { at: number; video: HTMLVideoElement }) {
  const { t } = useI18n();
  const [shown, setShown] = useState(true);
  useEffect(() => {
    // In video time: a video that has not started, or was paused at once, keeps the offer.
    const update = () => {
      if (Math.abs(video.currentTime - at) > RESUMED_FOR) setShown(false);
    };
    video.addEventListener("timeupdate", update);
    return () => video.removeEventListener("timeupdate", update);
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
    const save = () => savePreference("volume", String(video.volume));
    video.addEventListener("volumechange", save);
    return () => video.removeEventListener("volumechange", save);
  }, [video]);
}

/** Remembers the language of the subtitles, or that they are off, for the next video. */
function useRememberedSubtitles(video: HTMLVideoElement | null): void {
  useEffect(() => {
    if (video === null) return;
    const save = () => {
      const subtitles = [...video.textTracks].filter((each) => each.kind === "subtitles");
      if (subtitles.length === 0) return;
      const showing = subtitles.find((each) => each.mode === "showing");
      savePreference("subtitles", showing === undefined ? "off" : showing.language || null);
    };
    // Only changes by the viewer count: while a video loads, the browser changes its tracks too.
    const start = () => video.textTracks.addEventListener("change", save);
    const stop = () => video.textTracks.removeEventListener("change", save);
    if (!video.paused && video.readyState >= 3) start();
    video.addEventListener("playing", start);
    video.addEventListener("emptied", stop);
    return () => {
      stop();
      video.removeEventListener("playing", start);
      video.removeEventListener("emptied", stop);
    };
  }, [video]);
}
