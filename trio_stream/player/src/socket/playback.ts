/** The page's side of playback: a worker that builds segments, and a source buffer for each track. */

import { gapEnd, intersection, type Ranges } from "./buffer-policy";
import type { FromWorker, Problem, ToWorker, Track } from "./messages";
import { Feeder } from "./source-buffer";

const TICK = 200; // milliseconds
const SEEK_DELAY = 120; // milliseconds to wait for another seek before acting on one

export interface Closed {
  code: number;
  reason: string;
  normal: boolean;
}

/** The state of playback and transfer. */
export interface Status {
  problem: Problem | null;
  closed: Closed | null;
  open: boolean;
  /** Bytes received over the socket. */
  received: number;
  /** The transfer is paused. */
  held: boolean;
  /** The viewer paused the transfer. */
  byViewer: boolean;
  /** Seconds buffered after the current time. */
  ahead: number;
  /** The last second that can be played, if a GOP does not fit into the buffer; null otherwise. */
  until: number | null;
  ranges: Ranges;
  time: number;
  duration: number;
}

export const initialStatus: Status = {
  problem: null,
  closed: null,
  open: false,
  received: 0,
  held: false,
  byViewer: false,
  ahead: 0,
  until: null,
  ranges: [],
  time: 0,
  duration: 0,
};

/** The first supported track of each kind, or the problem if there is none. */
export function chooseTracks(
  tracks: readonly Track[],
  supports: (mime: string) => boolean,
): { tracks: Track[] } | { problem: Problem } {
  const chosen: Track[] = [];
  for (const kind of ["video", "audio"] as const) {
    const all = tracks.filter((track) => track.kind === kind);
    const found = all.find((track) => supports(track.mime));
    if (found !== undefined) chosen.push(found);
    else if (all[0] !== undefined) return { problem: { kind: "codec", of: kind, codec: all[0].codec } };
  }
  return { tracks: chosen };
}

export class Playback {
  /** The URL for the video element. */
  readonly source: string;
  readonly #url: string;
  readonly #media = new MediaSource();
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #onChange: (status: Status) => void;
  readonly #feeders = new Map<number, Feeder>();
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #video: HTMLVideoElement | null = null;
  #seekTimer: ReturnType<typeof setTimeout> | undefined;
  #status: Status;
  #epoch = 0;
  #done = false;

  constructor(url: string, duration: number | null, onChange: (status: Status) => void) {
    this.#url = url;
    this.#onChange = onChange;
    this.#status = { ...initialStatus, duration: duration ?? 0 };
    this.source = URL.createObjectURL(this.#media);
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onerror = ({ message }) => this.#fail({ kind: "media", detail: message });
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#send({ kind: "open", url });
  }

  /** The current time of the video, in seconds. */
  get #time(): number {
    return this.#video?.currentTime ?? 0;
  }

  attach(video: HTMLVideoElement): void {
    this.#video = video;
    const { signal } = this.#abort;
    video.addEventListener("seeking", () => this.#seeking(), { signal });
    video.addEventListener("timeupdate", () => this.#tick(), { signal });
    video.addEventListener(
      "error",
      () => {
        if (video.error !== null) this.#fail({ kind: "media", detail: video.error.message });
      },
      { signal },
    );
  }

  /** Pause or resume the transfer. */
  hold(on: boolean): void {
    this.#set({ byViewer: on });
    this.#send({ kind: "hold", on });
  }

  /** Connect again, and continue at the end of the buffer. */
  reconnect(): void {
    this.#set({ closed: null });
    if (this.#feeders.size === 0) this.#send({ kind: "open", url: this.#url });
    else this.#goTo(Math.max(0, this.#reach() - 0.1));
  }

  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#seekTimer);
    this.#abort.abort();
    this.#worker.terminate();
    URL.revokeObjectURL(this.source);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case "tracks":
        void this.#openTracks(message.tracks, message.duration);
        break;
      case "segment":
        if (message.epoch === this.#epoch) this.#feeders.get(message.segment.track)?.push(message.segment);
        break;
      case "done":
        if (message.epoch === this.#epoch) this.#done = true;
        this.#tick();
        break;
      case "flow":
        this.#set({ received: message.received, held: message.held, open: message.open });
        break;
      case "opened":
        this.#set({ closed: null, open: true });
        break;
      case "closed":
        this.#set({ closed: { code: message.code, reason: message.reason, normal: message.normal }, open: false, held: false });
        break;
      case "problem":
        this.#fail(message.problem);
        break;
    }
  }

  async #openTracks(tracks: Track[], duration: number | null): Promise<void> {
    const found = chooseTracks(tracks, (mime) => MediaSource.isTypeSupported(mime));
    if ("problem" in found) {
      this.#fail(found.problem);
      return;
    }
    const { signal } = this.#abort;
    if (this.#media.readyState !== "open")
      await new Promise((resolve) => this.#media.addEventListener("sourceopen", resolve, { once: true, signal }));
    if (signal.aborted) return;
    const total = duration ?? this.#status.duration;
    try {
      if (total > 0) this.#media.duration = total;
      for (const track of found.tracks) {
        const failed = (error: unknown) =>
          this.#fail({ kind: "media", detail: error instanceof Error ? error.message : String(error) });
        this.#feeders.set(track.id, new Feeder(this.#media.addSourceBuffer(track.mime), track.init, () => this.#time, failed));
      }
    } catch (error) {
      this.#fail({ kind: "media", detail: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.#set({ duration: total });
    this.#send({ kind: "take", tracks: found.tracks.map((track) => track.id), time: this.#time });
  }

  #seeking(): void {
    clearTimeout(this.#seekTimer);
    this.#seekTimer = setTimeout(() => {
      this.#seekTimer = undefined;
      const time = this.#time;
      // Audio may end before the video does. Where both have ended, there is nothing to request.
      const isBuffered = (feeder: Feeder) => feeder.holds(time) || (this.#done && feeder.isOver(time));
      if ([...this.#feeders.values()].every(isBuffered)) return;
      for (const feeder of this.#feeders.values()) feeder.clear();
      this.#goTo(time);
    }, SEEK_DELAY);
  }

  #goTo(time: number): void {
    this.#epoch += 1;
    this.#done = false;
    this.#send({ kind: "seek", time, epoch: this.#epoch });
  }

  #reach(): number {
    const time = this.#time;
    return Math.min(...[...this.#feeders.values()].map((feeder) => feeder.reach(time)));
  }

  #tick(): void {
    const feeders = [...this.#feeders.values()];
    const time = this.#time;
    for (const feeder of feeders) feeder.tick();
    if (feeders.length > 0) this.#send({ kind: "at", time });
    if (this.#done && this.#media.readyState === "open" && feeders.every((feeder) => feeder.idle))
      this.#media.endOfStream();
    this.#skipGap(feeders, time);
    const ahead = feeders.length === 0 ? 0 : Math.max(0, this.#reach() - time);
    const ends = feeders.flatMap(({ until }) => until ?? []);
    const until = ends.length > 0 ? Math.min(...ends) : null;
    this.#set({ ahead, until, time, ranges: feeders[0]?.ranges ?? [] });
  }

  /** Continue after a gap where one track has no data: a browser would wait there. */
  #skipGap(feeders: readonly Feeder[], time: number): void {
    if (this.#video === null || this.#video.readyState >= this.#video.HAVE_FUTURE_DATA || this.#seekTimer !== undefined) return;
    const [first, ...rest] = feeders.map(({ ranges }) => ranges);
    if (first === undefined) return;
    const to = gapEnd(rest.reduce(intersection, first), time);
    if (to !== null) this.#video.currentTime = to;
  }

  #fail(problem: Problem): void {
    if (this.#status.problem === null && !this.#abort.signal.aborted) this.#set({ problem });
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #set(part: Partial<Status>): void {
    this.#status = { ...this.#status, ...part };
    this.#onChange(this.#status);
  }
}
