/**
 * A fragmented MP4 passed on as it is: fragments that are whole, each with what time it begins. Where they lie is learned
 * from the file's own index (`sidx`) and from those that passed.
 */

import { createFile, MP4BoxBuffer } from "mp4box";
import { joined, type Source } from "./gather";
import type { Segment } from "./messages";

const LARGEST = 64_000_000; // bytes of a fragment; more is no fragment but a mistake

export interface Place {
  time: number;
  offset: number;
}

/** The last of `places` not after `time`; they are in order. */
export function before(places: readonly Place[], time: number): Place | undefined {
  return places.findLast((place) => place.time <= time);
}

export class Passing implements Source {
  readonly #track: number;
  readonly #timescales: ReadonlyMap<number, number>;
  readonly #size: number;
  readonly #places: Place[];
  #pieces: Uint8Array[] = [];
  #length = 0;
  #start = -1; // of the pieces, in the file
  #moof: { bytes: Uint8Array; from: number; to: number } | null = null;
  #last = 0; // seconds, where a fragment does not say when it begins
  #passed = 0;

  /** `first` is where the fragments begin; `known` those whose places the file told. */
  constructor(
    track: number,
    timescales: ReadonlyMap<number, number>,
    first: number,
    size: number,
    known: readonly Place[],
  ) {
    this.#track = track;
    this.#timescales = timescales;
    this.#size = size;
    this.#places = known.length > 0 ? [...known] : [{ time: 0, offset: first }];
    this.#passed = first;
  }

  get done(): boolean {
    return this.#passed >= this.#size;
  }

  seek(time: number): number {
    this.restart();
    const place = before(this.#places, time) ?? this.#places[0];
    const offset = place?.offset ?? 0;
    this.#passed = offset;
    return offset;
  }

  restart(): void {
    this.#pieces = [];
    this.#length = 0;
    this.#start = -1;
    this.#moof = null;
  }

  wish(position: number): number | null {
    return this.#start < 0 && position !== this.#passed ? this.#passed : null;
  }

  push(offset: number, bytes: Uint8Array): Segment[] {
    if (this.#start < 0) {
      // What lies before the fragment one wants is not looked at.
      if (offset + bytes.length <= this.#passed || offset > this.#passed) return [];
      bytes = bytes.subarray(this.#passed - offset);
      this.#start = this.#passed;
    }
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    const segments: Segment[] = [];
    for (;;) {
      const head = this.#head();
      if (head === null || head.size > this.#length) return segments;
      if (this.#pieces.length > 1) this.#pieces = [joined(...this.#pieces)];
      const whole = this.#pieces[0] ?? new Uint8Array(0);
      const segment = this.#box(head.type, whole.subarray(0, head.size));
      if (segment !== null) segments.push(segment);
      this.#pieces = [whole.subarray(head.size)];
      this.#length -= head.size;
      this.#start += head.size;
      this.#passed = this.#start;
    }
  }

  /** The size and the type of the box at the front; null where not even that has come. */
  #head(): { size: number; type: string } | null {
    if (this.#length < 16) {
      if (this.#length < 8 || this.#start + this.#length < this.#size) return null;
    }
    const front = (this.#pieces[0]?.length ?? 0) >= 16 ? (this.#pieces[0] as Uint8Array) : joined(...this.#pieces);
    const view = new DataView(front.buffer, front.byteOffset, front.byteLength);
    let size = view.getUint32(0);
    if (size === 1) size = Number(view.getBigUint64(8));
    if (size === 0) size = this.#size - this.#start;
    if (size < 8 || size > LARGEST) throw new Error(`there is no box at ${this.#start}`);
    return { size, type: String.fromCharCode(...front.subarray(4, 8)) };
  }

  #box(type: string, bytes: Uint8Array): Segment | null {
    if (type === "moof") {
      const [from, to] = this.#spanOf(bytes);
      this.#moof = { bytes, from, to };
      this.#last = to;
      if (from > (this.#places.at(-1)?.time ?? -1)) this.#places.push({ time: from, offset: this.#start });
      return null;
    }
    if (type !== "mdat" || this.#moof === null) return null;
    const { bytes: moof, from, to } = this.#moof;
    this.#moof = null;
    return { track: this.#track, from, to, data: joined(moof, bytes).buffer };
  }

  /** Seconds at which the fragment begins and ends. */
  #spanOf(moof: Uint8Array): [from: number, to: number] {
    const file = createFile();
    file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(joined(moof).buffer, 0));
    const spans = (file.moofs[0]?.trafs ?? []).flatMap(({ tfhd, tfdt, truns }) => {
      const timescale = this.#timescales.get(tfhd.track_id);
      if (timescale === undefined || tfdt === undefined) return [];
      const units = truns.reduce((sum, { sample_count, sample_duration }) => {
        const each = sample_duration.reduce((all, one) => all + one, 0);
        return sum + (each || sample_count * (tfhd.default_sample_duration ?? 0));
      }, 0);
      const from = tfdt.baseMediaDecodeTime / timescale;
      return [[from, from + units / timescale] as const];
    });
    if (spans.length === 0) return [this.#last, this.#last];
    return [Math.min(...spans.map(([from]) => from)), Math.max(...spans.map(([, to]) => to))];
  }
}
