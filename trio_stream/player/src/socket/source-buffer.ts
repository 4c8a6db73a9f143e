/**
 * One source buffer and the queue of chunks for it. It runs one operation at a time, as source buffers do. It reads the
 * current time whenever it decides what to remove: with a time stored before a seek back, it would treat all new chunks as
 * watched and remove them.
 */

import { droppableUntil, expiredUntil, holds, isExhausted, oneGroup, type Ranges, rangesOf, reach } from "./buffer-policy";
import type { Segment } from "./messages";

const MAX_DECODE_DELAY = 1; // seconds between decoding and presentation

type Chunk = Pick<Segment, "from" | "to" | "sync" | "data">;

export class Feeder {
  readonly #buffer: SourceBuffer;
  /** The current time of the video, in seconds. */
  readonly #currentTime: () => number;
  readonly #onError: (error: unknown) => void;
  #queue: Chunk[] = [];
  /** The presentation times of the buffered sync samples, in seconds. */
  #syncs: number[] = [];
  #clearing = false; // as soon as the running operation ends
  /** The end of the range that is being removed, in seconds; `buffered` still contains it. 0 if nothing is being removed. */
  #removingUntil = 0;
  /** The current time when the buffer was found full. */
  #fullAt: number | null = null;
  /** The last second that can be played, if the rest will never fit. */
  #until: number | null = null;
  /** The range that was pushed without a gap, in seconds. */
  #pushed: [from: number, to: number] = [0, 0];

  constructor(buffer: SourceBuffer, init: ArrayBuffer, currentTime: () => number, onError: (error: unknown) => void) {
    this.#buffer = buffer;
    this.#currentTime = currentTime;
    this.#onError = onError;
    buffer.addEventListener("updateend", () => {
      this.#removingUntil = 0;
      this.#work();
    });
    buffer.addEventListener("error", () => onError(new Error("the browser rejected the media data")));
    this.push({ from: 0, to: 0, sync: null, data: init });
  }

  get idle(): boolean {
    return this.#queue.length === 0 && !this.#clearing && !this.#buffer.updating && this.#until === null;
  }

  /** The last second that can be played, if a GOP does not fit into the buffer; null otherwise. */
  get until(): number | null {
    return this.#until;
  }

  /** The buffered ranges; empty while all of them are being removed. */
  get ranges(): Ranges {
    if (this.#clearing || this.#removingUntil === Number.POSITIVE_INFINITY) return [];
    try {
      return rangesOf(this.#buffer.buffered);
    } catch {
      return []; // it was detached from its media source
    }
  }

  /** Whether `time` is buffered and stays so. A removal continues past its end, up to the next sync sample. */
  holds(time: number): boolean {
    return this.#removingUntil === 0 && holds(this.ranges, time);
  }

  /** Whether `time` is past the end of the buffer, with nothing queued. */
  isOver(time: number): boolean {
    const end = this.ranges.at(-1)?.[1];
    return this.idle && end !== undefined && time >= end;
  }

  /** Up to which second playback can continue from `time`, counting chunks that are queued or being appended. */
  reach(time: number): number {
    const end = reach(this.ranges, time);
    const [from, to] = this.#pushed;
    return from <= end + MAX_DECODE_DELAY && to > end ? to : end;
  }

  push(chunk: Chunk): void {
    if (this.#until !== null) return; // it cannot be decoded without the chunks before it
    this.#queue.push(chunk);
    const [from, to] = this.#pushed;
    const follows = chunk.from <= to + MAX_DECODE_DELAY && chunk.from >= from;
    if (chunk.to > 0) this.#pushed = [follows ? from : chunk.from, chunk.to];
    this.#work();
  }

  /** Playback has advanced: remove what was watched long ago, and try again to append what did not fit. */
  tick(): void {
    const time = this.#currentTime();
    if (this.#fullAt !== null && (Math.abs(time - this.#fullAt) >= 1 || isExhausted(this.ranges, time))) this.#fullAt = null;
    this.#work();
  }

  /** Remove all buffered and queued data, except the init segment. */
  clear(): void {
    this.#queue = this.#queue.filter((chunk) => chunk.to === 0); // keep the init segment
    this.#clearing = true;
    this.#pushed = [0, 0];
    this.#fullAt = null;
    this.#until = null;
    this.#work();
  }

  #work(): void {
    if (this.#buffer.updating) return;
    try {
      if (this.#clearing) {
        // Only whole segments are appended, so there is no partial one to abort.
        this.#clearing = false;
        this.#remove(Number.POSITIVE_INFINITY);
        return;
      }
      const old = expiredUntil(this.ranges, this.#syncs, this.#currentTime());
      if (old !== null) {
        this.#remove(old);
        return;
      }
      this.#append();
    } catch (error) {
      this.#onError(error);
    }
  }

  #append(): void {
    const [chunk] = this.#queue;
    if (chunk === undefined || this.#fullAt !== null) return;
    try {
      this.#buffer.appendBuffer(chunk.data);
      this.#queue.shift();
      if (chunk.sync !== null) this.#syncs.push(chunk.sync);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") throw error;
      this.#makeRoom(chunk);
    }
  }

  #makeRoom(chunk: Chunk): void {
    const [ranges, time] = [this.ranges, this.#currentTime()];
    const removable = droppableUntil(ranges, this.#syncs, time);
    const over = isExhausted(ranges, time);
    if (removable !== null) this.#remove(removable);
    else if (over && chunk.sync !== null && ranges.length > 0) this.#remove(Number.POSITIVE_INFINITY); // start again empty
    else if (over || (chunk.sync === null && oneGroup(ranges, this.#syncs))) this.#giveUp(ranges.at(-1)?.[1] ?? time);
    else this.#fullAt = time;
  }

  /** The queued chunks can never be appended, so drop them. */
  #giveUp(until: number): void {
    this.#until = until;
    this.#queue = [];
    this.#pushed = [0, 0];
  }

  #remove(to: number): void {
    this.#buffer.remove(0, to);
    this.#removingUntil = to;
    this.#syncs = this.#syncs.filter((sync) => sync >= to);
  }
}
