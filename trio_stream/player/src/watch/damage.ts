/**
 * Skips the damaged parts of a video that is played in segments, so that the rest plays.
 *
 * A segment that cannot be played is marked as a gap (`EXT-X-GAP`, RFC 8216bis section 4.4.4.7), which hls.js skips. Each
 * segment becomes a gap at most once, so this ends; when all are gaps, nothing is left to play.
 */

import type Hls from "hls.js";
import type { ErrorData, Fragment } from "hls.js";

export type Segment = Pick<Fragment, "start" | "duration" | "tagList" | "gap">;

const REFUSED = 422; // the server's status for a segment that it can never send
const DECODING = 3; // MediaError.MEDIA_ERR_DECODE
const MAX_RESETS = 3; // in a row without a faulty segment found: then something else is wrong
const RESET_TIMEOUT = 1_500; // milliseconds
const NEAR = 0.1; // seconds: a position this close to the end of a segment is in the next one

/** Whether the server responded that it can never send this segment. */
export const isRefused = ({ details, response }: Pick<ErrorData, "details" | "response">, { ErrorDetails }: Pick<typeof Hls, "ErrorDetails">) =>
  details === ErrorDetails.FRAG_LOAD_ERROR && response?.code === REFUSED;

export const isGap = ({ tagList }: Pick<Segment, "tagList">): boolean => tagList.some(([tag]) => tag === "GAP");

/**
 * Turns segment `at` into a gap. If gaps precede it, a quarter as many segments after it become gaps too: a large hole is
 * passed in few steps, and little of what follows is lost. Returns whether anything is left to play.
 */
export function skipSegment(segments: readonly Segment[], at: number): boolean {
  let before = 0;
  while (before < at && isGap(segments[at - before - 1]!)) before += 1;
  for (const segment of segments.slice(at, at + 1 + Math.floor(before / 4))) {
    if (!isGap(segment)) segment.tagList.push(["GAP"]);
    segment.gap = true;
  }
  return segments.some((segment) => !isGap(segment));
}

/** The index of the segment that plays at `seconds`. */
export function segmentIndexAt(segments: readonly Segment[], seconds: number): number {
  const next = segments.findIndex(({ start }) => start > seconds + NEAR);
  return next === 0 ? 0 : (next < 0 ? segments.length : next) - 1;
}

/** How many seconds are skipped because video or audio is missing. */
export function skippedSeconds(...tracks: readonly (readonly Segment[])[]): number {
  const gaps = tracks.flatMap((segments) => segments.filter(isGap)).sort((one, other) => one.start - other.start);
  let seconds = 0;
  let reached = 0;
  for (const { start, duration } of gaps) {
    seconds += Math.max(0, start + duration - Math.max(start, reached));
    reached = Math.max(reached, start + duration);
  }
  return seconds;
}

/** Makes `hls` continue after damaged parts of the file in `video`; `report` is called with the seconds skipped so far. */
export class Damage {
  private readonly failed = new WeakSet<Fragment>(); // failed to decode once, which may be the decoder's fault
  private readonly appended = new Map<string, Fragment>(); // the last one in each buffer
  private position = 0; // the last one that was shown, in seconds
  private resets = 0; // since a faulty segment was last found
  private timer = 0;
  private reloading = false; // from recovery until the metadata is loaded again

  constructor(
    private readonly hls: Hls,
    video: HTMLVideoElement,
    private readonly report: (seconds: number) => void,
    { Events }: Pick<typeof Hls, "Events">,
    signal: AbortSignal,
  ) {
    const update = () => {
      if (video.readyState >= 1 && video.error === null && !this.reloading) this.position = video.currentTime;
    };
    for (const name of ["timeupdate", "seeking"]) video.addEventListener(name, update, { signal });
    const skipGap = () => {
      const playable = this.playableFrom(video.currentTime);
      if (!this.reloading && video.readyState >= 1 && playable > video.currentTime) video.currentTime = playable;
    };
    video.addEventListener("seeking", skipGap, { signal });
    const loaded = () => {
      if (this.reloading) video.currentTime = this.position;
      this.reloading = false;
    };
    video.addEventListener("loadedmetadata", loaded, { signal });
    const failed = () => {
      if (video.error?.code !== DECODING) return;
      if (!/APPEND/.test(video.error.message)) this.decodeFailed(video.error.message);
      hls.recoverMediaError();
      this.resume();
    };
    video.addEventListener("error", failed, { signal });
    hls.on(Events.BUFFER_APPENDING, (_, { type, frag }) => this.appended.set(type, frag));
    signal.addEventListener("abort", () => clearTimeout(this.timer));
    keepState(video, () => this.reloading, signal);
  }

  /** Handles an error of hls.js. Returns whether playback continues. */
  handle(data: ErrorData, { ErrorDetails }: Pick<typeof Hls, "ErrorDetails">): boolean {
    const { details, fatal, frag, sourceBufferName } = data;
    // hls.js reports this one first; every append after it fails.
    if (details === ErrorDetails.BUFFER_APPENDING_ERROR) return this.skip(this.appended.get(sourceBufferName ?? "video"));
    if (isRefused(data, { ErrorDetails })) {
      const skipped = this.skip(frag);
      if (skipped && fatal) this.hls.startLoad(this.position);
      return skipped;
    }
    if (details !== ErrorDetails.MEDIA_SOURCE_REQUIRES_RESET) return false;
    this.resets += 1;
    if (this.resets > MAX_RESETS) return false;
    this.resume();
    return true;
  }

  /** Continue at the last position, or after the damage there, once the video has been attached again. */
  private resume(): void {
    this.position = this.playableFrom(this.position);
    this.reloading = true;
    this.hls.startLoad(this.position);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.resets += 1;
      if (!this.reloading || this.resets > MAX_RESETS) return;
      this.hls.recoverMediaError(); // hls.js thinks it has a segment that was still loading
      this.resume();
    }, RESET_TIMEOUT);
  }

  /** `seconds`, or the first position after it that can be played. */
  private playableFrom(seconds: number): number {
    for (const segments of [this.videoSegments, this.audioSegments, this.videoSegments]) {
      const here = segmentIndexAt(segments, seconds);
      const playable = segments.findIndex((each, index) => index >= here && !isGap(each));
      if (playable > here) seconds = segments[playable]!.start;
    }
    return seconds;
  }

  private get videoSegments(): readonly Fragment[] {
    return this.hls.latestLevelDetails?.fragments ?? [];
  }

  private get audioSegments(): readonly Fragment[] {
    return this.hls.audioTracks[this.hls.audioTrack]?.details?.fragments ?? [];
  }

  /** The current segment could not be decoded. Chromium's message says whether it was audio. */
  private decodeFailed(message: string): void {
    const segments = /audio/i.test(message) && this.audioSegments.length > 0 ? this.audioSegments : this.videoSegments;
    const segment = segments[segmentIndexAt(segments, this.position)];
    if (segment === undefined) return;
    if (this.failed.has(segment)) this.skip(segment);
    this.failed.add(segment);
  }

  private skip(segment: Fragment | undefined): boolean {
    const segments = [this.videoSegments, this.audioSegments].find((each) => segment !== undefined && each.includes(segment)) ?? [];
    const at = segments.indexOf(segment as Fragment);
    if (at < 0 || !skipSegment(segments, at)) return false;
    this.resets = 0;
    this.report(skippedSeconds(this.videoSegments, this.audioSegments));
    return true;
  }
}

/** Keeps a video playing or paused, at the same speed, when it is loaded again. */
function keepState(video: HTMLVideoElement, isReloading: () => boolean, signal: AbortSignal): void {
  const listen = (name: string, listener: () => void) => video.addEventListener(name, listener, { signal });
  listen("play", () => (video.autoplay = true));
  listen("pause", () => {
    if (video.error === null && !isReloading()) video.autoplay = false; // a failing video fires "pause" too
  });
  listen("ratechange", () => (video.defaultPlaybackRate = video.playbackRate));
  signal.addEventListener("abort", () => {
    video.autoplay = true;
    video.defaultPlaybackRate = 1;
  });
}
