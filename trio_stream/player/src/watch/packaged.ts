/** Playing a video that comes in segments. hls.js is loaded only for that, after the page has shown. */

import type HlsPlayer from "hls.js";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { VideoDetails } from "../api/client";
import { presentation } from "../api/queries";
import { savePreference, loadPreference } from "../ui/storage";
import { Damage, isRefused } from "./damage";
import { type Delivery, deliveryOf, insteadOf, thisBrowser } from "./delivery";
import { closest, rank, trackName } from "../ui/languages";
import { distinct } from "./tracks";

export interface Offered {
  id: number;
  name: string;
  language: string | null;
}

export interface Sound {
  id: number;
  language: string | null;
  /** What the file calls it. */
  title: string | null;
}

export interface Packaged {
  /** Those in a person's languages first. */
  sounds: readonly Sound[];
  sound: number;
  /** Heights of the pictures, the largest first. */
  qualities: readonly Offered[];
  /** -1: as the line allows. */
  quality: number;
  chooseSound: (id: number) => void;
  chooseQuality: (id: number) => void;
  /** Whether there is no sound in the segments. */
  without: boolean;
  /** Seconds that are passed over, because they are damaged. */
  passed: number;
  /** Why it does not play in segments; null while it does. */
  failed: Failure | null;
}

/**
 * `full`: there is more in one segment than the browser keeps, `large`: than the server sends; `refused`: the server does
 * not send one, as it says.
 */
export type Failure = { kind: "full" } | { kind: "large" } | { kind: "refused"; reason: string } | { kind: "other"; reason: string };

const NOTHING = { sounds: [], sound: -1, qualities: [], quality: -1, without: false, passed: 0, failed: null };
// There are none, and what plays them loads the film from a place of its own when it is attached anew.
const WITHOUT_INTERSTITIALS = { interstitialsController: undefined } as object;
const MENDED = 3; // errors of the media in a row, after which the film is at fault
const FULL = 3; // times in a row that the browser has no room for a segment, though nothing else is to be shown
const LARGE = "segment-too-large"; // the code of what is no damage: all of it is in the file itself

/** The sounds in a menu: those in a person's languages first. */
export function ordered(sounds: readonly Sound[], wanted: readonly string[]): Sound[] {
  return [...sounds].sort((one, other) => rank(one.language, wanted) - rank(other.language, wanted) || one.id - other.id);
}

/** The sound to begin with: in the language chosen last time, else the first of the file. */
export function firstSound(sounds: readonly Sound[], last: string | null): number {
  return (closest(sounds, last) ?? sounds[0])?.id ?? -1;
}

interface Names {
  language: string;
  forced: string;
  hearing: string;
  track: (number: number) => string;
}

/** What sounds are called in a menu, no two of them the same. */
export function soundNames(sounds: readonly Sound[], names: Names): string[] {
  return distinct(sounds.map((each, place) => trackName(each, names, names.track(place + 1))));
}

/** The playlist of the pictures alone that a master playlist names first (RFC 8216 section 4.3.4.2). */
export const picturesOf = (master: string): string | null => /^#EXT-X-STREAM-INF:.*\r?\n(?:#.*\r?\n)*([^#\s].*?)\r?$/m.exec(master)?.[1] ?? null;

/** The address of the playlist to play: of a master playlist `source`, or of the pictures it names. */
async function playlistOf(source: string, pictures: boolean): Promise<string> {
  if (!pictures) return source;
  const answer = await fetch(source);
  const named = answer.ok ? picturesOf(await answer.text()) : null;
  if (named === null) throw new Error("there are no pictures");
  return new URL(named, answer.url).href;
}

/** What the server said of a segment that it does not send: a code, and a sentence (RFC 9457 section 3.1.4). */
export function problemIn(body: unknown): { code: string; detail: string } {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  try {
    const said = body instanceof ArrayBuffer ? (JSON.parse(new TextDecoder().decode(body)) as unknown) : null;
    const { code, detail } = (said ?? {}) as { code?: unknown; detail?: unknown };
    return { code: text(code), detail: text(detail) };
  } catch {
    return { code: "", detail: "" }; // a proxy says something of its own
  }
}

/**
 * Lets `video` play the master playlist `source`; null: it plays by itself. `pictures`: those alone, as hls.js refuses
 * pictures together with a sound that the browser does not know. `reload` is how to go on after the server was away.
 */
export function usePackaged(
  video: HTMLVideoElement | null,
  source: string | null,
  pictures: boolean,
): Packaged & { reload: () => void } {
  const player = useRef<HlsPlayer | null>(null);
  const playlist = useRef<string | null>(null);
  const [state, setState] = useState<Omit<Packaged, "chooseSound" | "chooseQuality">>(NOTHING);
  useEffect(() => {
    setState(NOTHING);
    if (video === null || source === null) return;
    let over = false;
    const ending = new AbortController();
    const failed = (why: Failure) => setState((before) => ({ ...before, failed: before.failed ?? why }));
    const begin = async () => {
      const [{ default: Hls }, from] = await Promise.all([import("hls.js"), playlistOf(source, pictures)]);
      if (over) return;
      playlist.current = from;
      if (!Hls.isSupported()) {
        failed({ kind: "other", reason: "MediaSource" });
        return;
      }
      const hls = new Hls({
        enableWorker: false, // segments are fragmented MP4 already: there is nothing to be taken apart
        enableWebVTT: false, // the page has the subtitles as tracks of its own
        enableIMSC1: false,
        enableCEA708Captions: false,
        ...WITHOUT_INTERSTITIALS,
        backBufferLength: 60,
      });
      player.current = hls;
      let errors = 0;
      let full = 0;
      const damage = new Damage(hls, video, (passed) => setState((before) => ({ ...before, passed })), Hls, ending.signal);
      hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, (_, { audioTracks }) => {
        const sounds = audioTracks.map(({ id, lang, attrs }) => ({ id, language: lang ?? null, title: attrs["X-TITLE"] ?? null }));
        const first = firstSound(sounds, loadPreference("sound"));
        if (sounds.length > 1 && hls.audioTrack !== first && first >= 0) hls.audioTrack = first;
        setState((before) => ({ ...before, sounds: ordered(sounds, navigator.languages), sound: hls.audioTrack }));
      });
      hls.on(Hls.Events.AUDIO_TRACK_SWITCHED, (_, { id }) => setState((before) => ({ ...before, sound: id })));
      hls.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => {
        const qualities = levels.map(({ height, bitrate }, id) => ({
          id,
          name: height ? `${height}p` : `${Math.round(bitrate / 1000)} kb/s`,
          language: null,
        }));
        const without = hls.allAudioTracks.length === 0 && levels.every(({ audioCodec }) => !audioCodec);
        setState((before) => ({ ...before, qualities: qualities.reverse(), quality: -1, without }));
      });
      hls.on(Hls.Events.FRAG_BUFFERED, (_, { id }) => {
        errors = 0;
        if (id === "main") full = 0;
      });
      hls.on(Hls.Events.ERROR, (_, data) => {
        const { fatal, type, details, response, networkDetails } = data;
        // Of this hls.js makes no end: it asks for the segment again and again.
        if (video.readyState < video.HAVE_FUTURE_DATA && details === Hls.ErrorDetails.BUFFER_FULL_ERROR && (full += 1) >= FULL)
          failed({ kind: "full" });
        const refused = isRefused(data, Hls);
        const problem = refused && problemIn(networkDetails instanceof XMLHttpRequest ? networkDetails.response : null);
        if (problem && problem.code === LARGE) failed({ kind: "large" });
        else if (damage.heard(data, Hls)) return;
        else if (problem) failed({ kind: "refused", reason: problem.detail });
        if (!fatal) return;
        const lost = type === Hls.ErrorTypes.NETWORK_ERROR && (response?.code ?? 0) < 400;
        if (lost) return; // the page asks until the server answers, and has this go on
        errors += 1;
        if (type === Hls.ErrorTypes.MEDIA_ERROR && errors < MENDED) hls.recoverMediaError();
        else failed({ kind: "other", reason: details });
      });
      hls.loadSource(from);
      hls.attachMedia(video);
      video.play().catch(() => undefined); // as `autoplay` would
    };
    begin().catch((error: unknown) => {
      if (!over) failed({ kind: "other", reason: String(error) });
    });
    return () => {
      over = true;
      ending.abort();
      player.current?.destroy();
      player.current = null;
    };
  }, [video, source, pictures]);
  return {
    ...state,
    chooseSound: (id) => {
      const hls = player.current;
      if (hls === null) return;
      hls.audioTrack = id;
      savePreference("sound", state.sounds.find((each) => each.id === id)?.language ?? null);
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

/** The addresses that did not play, of the file and of its segments; each is tried once. */
function useRefused(video: HTMLVideoElement | null, { file, hls }: VideoDetails["urls"], failed: string | null) {
  const [refused, setRefused] = useState<readonly string[]>([]);
  useEffect(() => {
    if (failed !== null) setRefused((before) => [...before, failed]);
  }, [failed]);
  useEffect(() => {
    if (video === null) return;
    const look = () => {
      const opens = video.error === null || video.readyState > 0 || !video.currentSrc.endsWith(file);
      if (!opens) setRefused((before) => [...before, file]);
    };
    look();
    video.addEventListener("error", look);
    return () => video.removeEventListener("error", look);
  }, [video, file]);
  return { file: refused.includes(file), segments: refused.includes(hls) };
}

/**
 * Plays a video in segments where the file itself would not do, or does not; where segments do not either, it is the file.
 * `asking`: whether it is not known yet how it comes.
 */
export function usePackagedIfNeeded(video: HTMLVideoElement | null, details: VideoDetails) {
  const { content_type, facts, state, reason, versions, urls } = details;
  const [failed, setFailed] = useState<string | null>(null);
  const refused = useRefused(video, urls, failed);
  const browser = useMemo(thisBrowser, []);
  const wanted = useMemo(
    () => deliveryOf({ content_type, facts, state, reason, versions }, browser),
    [content_type, facts, state, reason, versions, browser],
  );
  const [failure, setFailure] = useState<Failure | null>(null);
  const { data: offered, isPending } = useQuery({ ...presentation(details.id), enabled: wanted.kind === "packaged" || refused.file });
  const best = useMemo(() => {
    const known = deliveryOf({ content_type, facts, state, reason, versions }, browser, offered);
    return known.kind === "direct" && refused.file && offered !== undefined ? insteadOf(offered, browser) : known;
  }, [content_type, facts, state, reason, versions, browser, offered, refused.file]);
  const direct = best.kind === "direct" || refused.segments;
  const packaged = usePackaged(video, direct ? null : urls.hls, best.kind === "packaged" && best.pictures);
  useEffect(() => {
    if (packaged.failed === null) return;
    setFailed(urls.hls);
    setFailure(packaged.failed);
    const at = video?.currentTime ?? 0;
    if (at > 0) video?.addEventListener("loadedmetadata", () => void (video.currentTime = at), { once: true });
  }, [packaged.failed, urls.hls, video]);
  const delivery: Delivery = direct ? { kind: "direct" } : best;
  const asking = !direct || (refused.file && !refused.segments && isPending);
  const why = refused.segments ? failure : null;
  const source = direct ? urls.file : urls.hls;
  return { ...packaged, failed: why, direct, delivery, asking, source, reload: direct ? null : packaged.reload };
}
