/** Plays a video in segments. hls.js is loaded only then, after the page has rendered. */

import type HlsPlayer from "hls.js";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { VideoDetails } from "../api/client";
import { presentation } from "../api/queries";
import { savePreference, loadPreference } from "../ui/storage";
import { Damage, isRefused } from "./damage";
import { type Delivery, deliveryOf, fallbackOf, thisBrowser } from "./delivery";
import { closest, rank, trackName } from "../ui/languages";
import { distinct, type TrackNames } from "./subtitles";

export interface Quality {
  id: number;
  name: string;
}

export interface AudioTrack {
  id: number;
  language: string | null;
  /** Its title in the file. */
  title: string | null;
}

export interface Packaged {
  /** Those in the viewer's languages first. */
  audioTracks: readonly AudioTrack[];
  audioTrack: number;
  /** The largest first. */
  qualities: readonly Quality[];
  /** -1: chosen automatically by bandwidth. */
  quality: number;
  chooseAudio: (id: number) => void;
  chooseQuality: (id: number) => void;
  /** Whether the segments have no audio. */
  withoutAudio: boolean;
  /** Seconds that are skipped because they are damaged. */
  skipped: number;
  /** Why it does not play in segments; null while it does. */
  failed: Failure | null;
}

/**
 * `full`: a segment does not fit in the browser's buffer; `large`: a segment exceeds the server's limit; `refused`: the
 * server refused to send a segment, for `reason`.
 */
export type Failure = { kind: "full" } | { kind: "large" } | { kind: "refused"; reason: string } | { kind: "other"; reason: string };

const INITIAL = {
  audioTracks: [],
  audioTrack: -1,
  qualities: [],
  quality: -1,
  withoutAudio: false,
  skipped: 0,
  failed: null,
};
// We have none, and their controller loads the video from its own position when it is attached again.
const WITHOUT_INTERSTITIALS = { interstitialsController: undefined } as object;
const MAX_MEDIA_ERRORS = 3; // in a row, after which the file is at fault
const MAX_BUFFER_FULL = 3; // errors in a row while nothing is left to play
const TOO_LARGE = "segment-too-large"; // a code that means no damage: the file has all of it

/** The audio tracks for a menu: those in the viewer's languages first. */
export function ordered(tracks: readonly AudioTrack[], languages: readonly string[]): AudioTrack[] {
  return [...tracks].sort((one, other) => rank(one.language, languages) - rank(other.language, languages) || one.id - other.id);
}

/** The id of the audio track to start with: in the language chosen last time, else the first of the file. */
export function initialAudioTrack(tracks: readonly AudioTrack[], last: string | null): number {
  return (closest(tracks, last) ?? tracks[0])?.id ?? -1;
}

/** The unique names of audio tracks for a menu. */
export function audioTrackNames(tracks: readonly AudioTrack[], names: TrackNames): string[] {
  return distinct(tracks.map((each, index) => trackName(each, names, names.track(index + 1))));
}

/** The first video playlist that a master playlist names (RFC 8216 section 4.3.4.2). */
export const firstVideoPlaylist = (master: string): string | null =>
  /^#EXT-X-STREAM-INF:.*\r?\n(?:#.*\r?\n)*([^#\s].*?)\r?$/m.exec(master)?.[1] ?? null;

/** The URL of the playlist to play: the master playlist `source`, or its first video playlist. */
async function playlistUrl(source: string, videoOnly: boolean): Promise<string> {
  if (!videoOnly) return source;
  const response = await fetch(source);
  const playlist = response.ok ? firstVideoPlaylist(await response.text()) : null;
  if (playlist === null) throw new Error("the playlist has no video");
  return new URL(playlist, response.url).href;
}

/** The problem document in a response body: its code and its sentence (RFC 9457 section 3.1.4). */
export function problemIn(body: unknown): { code: string; detail: string } {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  try {
    const problem = body instanceof ArrayBuffer ? (JSON.parse(new TextDecoder().decode(body)) as unknown) : null;
    const { code, detail } = (problem ?? {}) as { code?: unknown; detail?: unknown };
    return { code: text(code), detail: text(detail) };
  } catch {
    return { code: "", detail: "" }; // for example the page of a proxy
  }
}

/**
 * Plays the master playlist `source` in `video`, with hls.js; null: the element plays on its own. `videoOnly`: without
 * audio, as hls.js refuses video together with audio that the browser does not support. `reload` continues after a lost
 * connection.
 */
export function usePackaged(
  video: HTMLVideoElement | null,
  source: string | null,
  videoOnly: boolean,
): Packaged & { reload: () => void } {
  const player = useRef<HlsPlayer | null>(null);
  const playlist = useRef<string | null>(null);
  const [state, setState] = useState<Omit<Packaged, "chooseAudio" | "chooseQuality">>(INITIAL);
  useEffect(() => {
    setState(INITIAL);
    if (video === null || source === null) return;
    let stopped = false;
    const controller = new AbortController();
    const failed = (why: Failure) => setState((before) => ({ ...before, failed: before.failed ?? why }));
    const start = async () => {
      const [{ default: Hls }, url] = await Promise.all([import("hls.js"), playlistUrl(source, videoOnly)]);
      if (stopped) return;
      playlist.current = url;
      if (!Hls.isSupported()) {
        failed({ kind: "other", reason: "MediaSource" });
        return;
      }
      const hls = new Hls({
        enableWorker: false, // segments are fragmented MP4 already: nothing to transmux
        enableWebVTT: false, // the page has its own subtitle tracks
        enableIMSC1: false,
        enableCEA708Captions: false,
        ...WITHOUT_INTERSTITIALS,
        backBufferLength: 60,
      });
      player.current = hls;
      let errors = 0;
      let bufferFull = 0;
      const damage = new Damage(hls, video, (skipped) => setState((before) => ({ ...before, skipped })), Hls, controller.signal);
      hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, (_, { audioTracks }) => {
        const tracks = audioTracks.map(({ id, lang, attrs }) => ({ id, language: lang ?? null, title: attrs["X-TITLE"] ?? null }));
        const first = initialAudioTrack(tracks, loadPreference("sound"));
        if (tracks.length > 1 && hls.audioTrack !== first && first >= 0) hls.audioTrack = first;
        setState((before) => ({ ...before, audioTracks: ordered(tracks, navigator.languages), audioTrack: hls.audioTrack }));
      });
      hls.on(Hls.Events.AUDIO_TRACK_SWITCHED, (_, { id }) => setState((before) => ({ ...before, audioTrack: id })));
      hls.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => {
        const qualities = levels.map(({ height, bitrate }, id) => ({
          id,
          name: height ? `${height}p` : `${Math.round(bitrate / 1000)} kb/s`,
        }));
        const withoutAudio = hls.allAudioTracks.length === 0 && levels.every(({ audioCodec }) => !audioCodec);
        setState((before) => ({ ...before, qualities: qualities.reverse(), quality: -1, withoutAudio }));
      });
      hls.on(Hls.Events.FRAG_BUFFERED, (_, { id }) => {
        errors = 0;
        if (id === "main") bufferFull = 0;
      });
      hls.on(Hls.Events.ERROR, (_, data) => {
        const { fatal, type, details, response, networkDetails } = data;
        // hls.js does not give up after this error: it requests the segment again and again.
        const starved = video.readyState < video.HAVE_FUTURE_DATA;
        if (starved && details === Hls.ErrorDetails.BUFFER_FULL_ERROR && (bufferFull += 1) >= MAX_BUFFER_FULL)
          failed({ kind: "full" });
        const refused = isRefused(data, Hls);
        const problem = refused && problemIn(networkDetails instanceof XMLHttpRequest ? networkDetails.response : null);
        if (problem && problem.code === TOO_LARGE) failed({ kind: "large" });
        else if (damage.handle(data, Hls)) return;
        else if (problem) failed({ kind: "refused", reason: problem.detail });
        if (!fatal) return;
        const lost = type === Hls.ErrorTypes.NETWORK_ERROR && (response?.code ?? 0) < 400;
        if (lost) return; // useRecovery waits for the server, and then calls `reload`
        errors += 1;
        if (type === Hls.ErrorTypes.MEDIA_ERROR && errors < MAX_MEDIA_ERRORS) hls.recoverMediaError();
        else failed({ kind: "other", reason: details });
      });
      hls.loadSource(url);
      hls.attachMedia(video);
      video.play().catch(() => undefined); // as `autoplay` would
    };
    start().catch((error: unknown) => {
      if (!stopped) failed({ kind: "other", reason: String(error) });
    });
    return () => {
      stopped = true;
      controller.abort();
      player.current?.destroy();
      player.current = null;
    };
  }, [video, source, videoOnly]);
  return {
    ...state,
    chooseAudio: (id) => {
      const hls = player.current;
      if (hls === null) return;
      hls.audioTrack = id;
      savePreference("sound", state.audioTracks.find((each) => each.id === id)?.language ?? null);
    },
    chooseQuality: (id) => {
      const hls = player.current;
      if (hls === null) return;
      hls.nextLevel = id;
      setState((before) => ({ ...before, quality: id }));
    },
    reload: () => {
      const hls = player.current;
      if (hls === null || video === null) return;
      if (hls.levels.length === 0 && playlist.current !== null) hls.loadSource(playlist.current);
      else hls.startLoad(video.currentTime);
    },
  };
}

/** Whether the file and its segments failed to play; each URL is tried once. */
function useRefused(video: HTMLVideoElement | null, { file, hls }: VideoDetails["urls"], failed: string | null) {
  const [refused, setRefused] = useState<readonly string[]>([]);
  useEffect(() => {
    if (failed !== null) setRefused((before) => [...before, failed]);
  }, [failed]);
  useEffect(() => {
    if (video === null) return;
    const check = () => {
      const opens = video.error === null || video.readyState > 0 || !video.currentSrc.endsWith(file);
      if (!opens) setRefused((before) => [...before, file]);
    };
    check();
    video.addEventListener("error", check);
    return () => video.removeEventListener("error", check);
  }, [video, file]);
  return { file: refused.includes(file), segments: refused.includes(hls) };
}

/**
 * Plays a video in segments if its file would not play, or did not; if the segments fail as well, it plays the file.
 * `pending`: whether the delivery may still change.
 */
export function usePackagedIfNeeded(video: HTMLVideoElement | null, details: VideoDetails) {
  const { content_type, facts: info, state, reason, versions, urls } = details;
  const [failed, setFailed] = useState<string | null>(null);
  const refused = useRefused(video, urls, failed);
  const browser = useMemo(thisBrowser, []);
  const preferred = useMemo(
    () => deliveryOf({ content_type, facts: info, state, reason, versions }, browser),
    [content_type, info, state, reason, versions, browser],
  );
  const [failure, setFailure] = useState<Failure | null>(null);
  const { data: offered, isPending } = useQuery({ ...presentation(details.id), enabled: preferred.kind === "packaged" || refused.file });
  const best = useMemo(() => {
    const delivery = deliveryOf({ content_type, facts: info, state, reason, versions }, browser, offered);
    return delivery.kind === "direct" && refused.file && offered !== undefined ? fallbackOf(offered, browser) : delivery;
  }, [content_type, info, state, reason, versions, browser, offered, refused.file]);
  const direct = best.kind === "direct" || refused.segments;
  const packaged = usePackaged(video, direct ? null : urls.hls, best.kind === "packaged" && best.videoOnly);
  useEffect(() => {
    if (packaged.failed === null) return;
    setFailed(urls.hls);
    setFailure(packaged.failed);
    const position = video?.currentTime ?? 0;
    if (position > 0) video?.addEventListener("loadedmetadata", () => void (video.currentTime = position), { once: true });
  }, [packaged.failed, urls.hls, video]);
  const delivery: Delivery = direct ? { kind: "direct" } : best;
  const pending = !direct || (refused.file && !refused.segments && isPending);
  const failedWith = refused.segments ? failure : null;
  const source = direct ? urls.file : urls.hls;
  return { ...packaged, failed: failedWith, direct, delivery, pending, source, reload: direct ? null : packaged.reload };
}
