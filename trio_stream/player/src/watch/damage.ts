/**
 * Passing over what is damaged of a video that comes in segments, so that the rest plays.
 *
 * A segment that cannot be played is made a gap (`EXT-X-GAP`, RFC 8216bis section 4.4.4.7), which hls.js leaves out. Each
 * becomes one at most once, so this ends; where all have become gaps, nothing is left to play.
 */

import type Hls from "hls.js";
import type { ErrorData, Fragment } from "hls.js";

export type Segment = Pick<Fragment, "start" | "duration" | "tagList" | "gap">;

const REFUSED = 422; // the server's status for what can never be sent
const DECODING = 3; // MediaError.MEDIA_ERR_DECODE
const RESETS = 3; // without anything found to be at fault, after which it is something else
const PATIENCE = 1_500; // milliseconds to get there
const NEAR = 0.1; // seconds: a place this close to the end of a segment is in the next one

/** Whether the server said of a segment that it can never send it. */
export const isRefused = ({ details, response }: Pick<ErrorData, "details" | "response">, { ErrorDetails }: Pick<typeof Hls, "ErrorDetails">) =>
  details === ErrorDetails.FRAG_LOAD_ERROR && response?.code === REFUSED;

export const isGap = ({ tagList }: Pick<Segment, "tagList">): boolean => tagList.some(([tag]) => tag === "GAP");

/**
 * Make a gap of the segment `at`. Where many lie before it, of a quarter as many more: a large hole is passed in few steps,
 * and little of what lies behind is lost. Whether anything is left to play.
 */
export function passOver(segments: readonly Segment[], at: number): boolean {
  let before = 0;
  while (before < at && isGap(segments[at - before - 1]!)) before += 1;
  for (const segment of segments.slice(at, at + 1 + Math.floor(before / 4))) {
    if (!isGap(segment)) segment.tagList.push(["GAP"]);
    segment.gap = true;
  }
  return segments.some((segment) => !isGap(segment));
}

/** The place in a list of the segment that is played at `seconds`. */
export function placeOf(segments: readonly Segment[], seconds: number): number {
  const next = segments.findIndex(({ start }) => start > seconds + NEAR);
  return next === 0 ? 0 : (next < 0 ? segments.length : next) - 1;
}

/** Seconds that cannot be played, as pictures or sound of them are missing. */
export function passedOver(...tracks: readonly (readonly Segment[])[]): number {
  const gaps = tracks.flatMap((segments) => segments.filter(isGap)).sort((one, other) => one.start - other.start);
  let seconds = 0;
  let reached = 0;
  for (const { start, duration } of gaps) {
    seconds += Math.max(0, start + duration - Math.max(start, reached));
    reached = Math.max(reached, start + duration);
  }
  return seconds;
}

/** Has `hls` go on where the file that it plays in `video` is damaged; `tell` is told how many seconds are passed over. */
export class Damage {
  private readonly failed = new WeakSet<Fragment>(); // could not be decoded once, which may have been the decoder's fault
  private readonly appended = new Map<string, Fragment>(); // the last one in each buffer
  private at = 0; // the last second that was shown
  private resets = 0; // since anything was found to be at fault
  private timer = 0;
  private away = false; // it is being loaded anew, and is not there yet

  constructor(
    private readonly hls: Hls,
    video: HTMLVideoElement,
    private readonly tell: (seconds: number) => void,
    { Events }: Pick<typeof Hls, "Events">,
    signal: AbortSignal,
  ) {
    const look = () => {
      if (video.readyState >= 1 && video.error === null && !this.away) this.at = video.currentTime;
    };
    for (const name of ["timeupdate", "seeking"]) video.addEventListener(name, look, { signal });
    const leap = () => {
      const behind = this.behind(video.currentTime);
      if (!this.away && video.readyState >= 1 && behind > video.currentTime) video.currentTime = behind;
    };
    video.addEventListener("seeking", leap, { signal });
    const back = () => {
      if (this.away) video.currentTime = this.at;
      this.away = false;
    };
    video.addEventListener("loadedmetadata", back, { signal });
    const failed = () => {
      if (video.error?.code !== DECODING) return;
      if (!/APPEND/.test(video.error.message)) this.undecoded(video.error.message);
      hls.recoverMediaError();
      this.goOn();
    };
    video.addEventListener("error", failed, { signal });
    hls.on(Events.BUFFER_APPENDING, (_, { type, frag }) => this.appended.set(type, frag));
    signal.addEventListener("abort", () => clearTimeout(this.timer));
    keepState(video, () => this.away, signal);
  }

  /** Whether hls.js goes on after this error, of which it has been told already. */
  heard(data: ErrorData, { ErrorDetails }: Pick<typeof Hls, "ErrorDetails">): boolean {
    const { details, fatal, frag, sourceBufferName } = data;
    // That is said before anything else is, and after it whatever is appended fails.
    if (details === ErrorDetails.BUFFER_APPENDING_ERROR) return this.pass(this.appended.get(sourceBufferName ?? "video"));
    if (isRefused(data, { ErrorDetails })) {
      const passed = this.pass(frag);
      if (passed && fatal) this.hls.startLoad(this.at);
      return passed;
    }
    if (details !== ErrorDetails.MEDIA_SOURCE_REQUIRES_RESET) return false;
    this.resets += 1;
    if (this.resets > RESETS) return false;
    this.goOn();
    return true;
  }

  /** Go on where it was, or behind that if it is damaged there, after the video was attached anew. */
  private goOn(): void {
    this.at = this.behind(this.at);
    this.away = true;
    this.hls.startLoad(this.at);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.resets += 1;
      if (!this.away || this.resets > RESETS) return;
      this.hls.recoverMediaError(); // it takes a segment that was being loaded for one that it has
      this.goOn();
    }, PATIENCE);
  }

  /** That second, or the first one behind it that can be played. */
  private behind(seconds: number): number {
    for (const segments of [this.pictures, this.sound, this.pictures]) {
      const here = placeOf(segments, seconds);
      const behind = segments.findIndex((each, place) => place >= here && !isGap(each));
      if (behind > here) seconds = segments[behind]!.start;
    }
    return seconds;
  }

  private get pictures(): readonly Fragment[] {
    return this.hls.latestLevelDetails?.fragments ?? [];
  }

  private get sound(): readonly Fragment[] {
    return this.hls.audioTracks[this.hls.audioTrack]?.details?.fragments ?? [];
  }

  /** What is shown now could not be decoded. Chromium says of which kind it was. */
  private undecoded(said: string): void {
    const segments = /audio/i.test(said) && this.sound.length > 0 ? this.sound : this.pictures;
    const segment = segments[placeOf(segments, this.at)];
    if (segment === undefined) return;
    if (this.failed.has(segment)) this.pass(segment);
    this.failed.add(segment);
  }

  private pass(segment: Fragment | undefined): boolean {
    const segments = [this.pictures, this.sound].find((each) => segment !== undefined && each.includes(segment)) ?? [];
    const at = segments.indexOf(segment as Fragment);
    if (at < 0 || !passOver(segments, at)) return false;
    this.resets = 0;
    this.tell(passedOver(this.pictures, this.sound));
    return true;
  }
}

/** Has a video that is loaded anew go on as it was: playing or not, and as fast. */
function keepState(video: HTMLVideoElement, isAway: () => boolean, signal: AbortSignal): void {
  const listen = (name: string, hear: () => void) => video.addEventListener(name, hear, { signal });
  listen("play", () => (video.autoplay = true));
  listen("pause", () => {
    if (video.error === null && !isAway()) video.autoplay = false; // one that fails says that it paused, too
  });
  listen("ratechange", () => (video.defaultPlaybackRate = video.playbackRate));
  signal.addEventListener("abort", () => {
    video.autoplay = true;
    video.defaultPlaybackRate = 1;
  });
}
