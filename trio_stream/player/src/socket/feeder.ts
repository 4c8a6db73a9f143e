/** One source buffer and what waits for it. It does one thing at a time, as source buffers do. */

import type { Segment } from "./messages";
import { past, type Ranges, rangesOf, reach, room } from "./policy";

const BETWEEN = 1; // seconds between decoding and presentation, at most

type Chunk = Pick<Segment, "from" | "to" | "data">;

export class Feeder {
  readonly #buffer: SourceBuffer;
  readonly #failed: (error: unknown) => void;
  #queue: Chunk[] = [];
  #clearing = false;
  /** Where it stood when there was no room. */
  #full: number | null = null;
  #time = 0;
  /** Seconds that were pushed without a hole between them. */
  #run: [from: number, to: number] = [0, 0];

  constructor(buffer: SourceBuffer, init: ArrayBuffer, failed: (error: unknown) => void) {
    this.#buffer = buffer;
    this.#failed = failed;
    buffer.addEventListener("updateend", () => this.#work());
    buffer.addEventListener("error", () => failed(new Error("the browser does not take these bytes")));
    this.push({ from: 0, to: 0, data: init });
  }

  get idle(): boolean {
    return this.#queue.length === 0 && !this.#clearing && !this.#buffer.updating;
  }

  get ranges(): Ranges {
    try {
      return rangesOf(this.#buffer.buffered);
    } catch {
      return []; // it was taken off its media source
    }
  }

  /** Up to which second it can play on from `time`, with what still waits or is being taken. */
  reach(time: number): number {
    const end = reach(this.ranges, time);
    const [from, to] = this.#run;
    return from <= end + BETWEEN && to > end ? to : end;
  }

  push(chunk: Chunk): void {
    this.#queue.push(chunk);
    const [from, to] = this.#run;
    if (chunk.to > 0) this.#run = chunk.from <= to + BETWEEN && chunk.from >= from ? [from, chunk.to] : [chunk.from, chunk.to];
    this.#work();
  }

  /** The video stands at `time`: what is long past goes, and what found no room may find some now. */
  tick(time: number): void {
    this.#time = time;
    if (this.#full !== null && Math.abs(time - this.#full) >= 1) this.#full = null;
    this.#work();
  }

  /** Everything else begins anew: nothing of what is here is kept. */
  clear(): void {
    this.#queue = this.#queue.filter((chunk) => chunk.to === 0); // the initialisation stays
    this.#clearing = true;
    this.#run = [0, 0];
    this.#full = null;
    this.#work();
  }

  #work(): void {
    if (this.#buffer.updating) return;
    try {
      if (this.#clearing) {
        // Only whole segments are appended, so there is nothing half-read to abort.
        this.#clearing = false;
        this.#remove([0, Number.POSITIVE_INFINITY]);
        return;
      }
      const old = past(this.ranges, this.#time);
      if (old !== null) {
        this.#remove(old);
        return;
      }
      this.#append();
    } catch (error) {
      this.#failed(error);
    }
  }

  #append(): void {
    const [chunk] = this.#queue;
    if (chunk === undefined || this.#full !== null) return;
    try {
      this.#buffer.appendBuffer(chunk.data);
      this.#queue.shift();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") throw error;
      const needless = room(this.ranges, this.#time);
      if (needless === null) this.#full = this.#time;
      else this.#remove(needless);
    }
  }

  #remove([from, to]: [number, number]): void {
    this.#buffer.remove(from, to);
  }
}
