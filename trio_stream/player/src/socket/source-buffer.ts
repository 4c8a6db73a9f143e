/**
 * One source buffer and what waits for it. It does one thing at a time, as source buffers do. What it lets go of is
 * decided by where the video stands at that moment: a place remembered from before a seek back would make all that comes
 * after it long past.
 */

import { droppableUntil, expiredUntil, holds, isExhausted, oneGroup, type Ranges, rangesOf, reach } from "./buffer-policy";
import type { Segment } from "./messages";

const MAX_DECODE_DELAY = 1; // seconds between decoding and presentation, at most

type Chunk = Pick<Segment, "from" | "to" | "sync" | "data">;

export class Feeder {
  readonly #buffer: SourceBuffer;
  /** Where the video stands now, in seconds. */
  readonly #currentTime: () => number;
  readonly #onError: (error: unknown) => void;
  #queue: Chunk[] = [];
  /** When sync samples of what is here are shown, in seconds. */
  #syncs: number[] = [];
  #clearing = false; // as soon as it can
  /** Up to which second what is here is being removed, and shows until that is done; 0 while nothing is. */
  #removingUntil = 0;
  /** Where it stood when there was no room. */
  #fullAt: number | null = null;
  /** Up to which second it plays, if what follows never finds room. */
  #until: number | null = null;
  /** Seconds that were pushed without a hole between them. */
  #pushed: [from: number, to: number] = [0, 0];

  constructor(buffer: SourceBuffer, init: ArrayBuffer, where: () => number, failed: (error: unknown) => void) {
    this.#buffer = buffer;
    this.#currentTime = where;
    this.#onError = failed;
    buffer.addEventListener("updateend", () => {
      this.#removingUntil = 0;
      this.#work();
    });
    buffer.addEventListener("error", () => failed(new Error("the browser does not take these bytes")));
    this.push({ from: 0, to: 0, sync: null, data: init });
  }

  get idle(): boolean {
    return this.#queue.length === 0 && !this.#clearing && !this.#buffer.updating && this.#until === null;
  }

  /** Up to which second it plays, if the browser keeps no more of a group of pictures; null while it does. */
  get until(): number | null {
    return this.#until;
  }

  /** What is there; nothing where all of it goes. */
  get ranges(): Ranges {
    if (this.#clearing || this.#removingUntil === Number.POSITIVE_INFINITY) return [];
    try {
      return rangesOf(this.#buffer.buffered);
    } catch {
      return []; // it was taken off its media source
    }
  }

  /** Whether what is at `time` is there to stay. A removal takes more than one asks for, up to the next sync sample. */
  holds(time: number): boolean {
    return this.#removingUntil === 0 && holds(this.ranges, time);
  }

  /** Whether `time` is past all that is here, when nothing more is to come. */
  isOver(time: number): boolean {
    const end = this.ranges.at(-1)?.[1];
    return this.idle && end !== undefined && time >= end;
  }

  /** Up to which second it can play on from `time`, with what still waits or is being taken. */
  reach(time: number): number {
    const end = reach(this.ranges, time);
    const [from, to] = this.#pushed;
    return from <= end + MAX_DECODE_DELAY && to > end ? to : end;
  }

  push(chunk: Chunk): void {
    if (this.#until !== null) return; // without what comes before, nothing can be made of it
    this.#queue.push(chunk);
    const [from, to] = this.#pushed;
    if (chunk.to > 0) this.#pushed = chunk.from <= to + MAX_DECODE_DELAY && chunk.from >= from ? [from, chunk.to] : [chunk.from, chunk.to];
    this.#work();
  }

  /** The video went on: what is long past goes, and what found no room may find some now. */
  tick(): void {
    const time = this.#currentTime();
    if (this.#fullAt !== null && (Math.abs(time - this.#fullAt) >= 1 || isExhausted(this.ranges, time))) this.#fullAt = null;
    this.#work();
  }

  /** Everything else begins anew: nothing of what is here is kept. */
  clear(): void {
    this.#queue = this.#queue.filter((chunk) => chunk.to === 0); // the initialisation stays
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
        // Only whole segments are appended, so there is nothing half-read to abort.
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
    const needless = droppableUntil(ranges, this.#syncs, time);
    const over = isExhausted(ranges, time);
    if (needless !== null) this.#remove(needless);
    else if (over && chunk.sync !== null && ranges.length > 0) this.#remove(Number.POSITIVE_INFINITY); // it begins anew
    else if (over || (chunk.sync === null && oneGroup(ranges, this.#syncs))) this.#giveUp(ranges.at(-1)?.[1] ?? time);
    else this.#fullAt = time;
  }

  /** What waits can never be appended, so nothing of it is kept. */
  #giveUp(until: number): void {
    this.#until = until;
    this.#queue = [];
    this.#pushed = [0, 0];
  }

  #remove(to: number): void {
    this.#buffer.remove(0, to);
    this.#removingUntil = to;
    this.#syncs = this.#syncs.filter((each) => each >= to);
  }
}
