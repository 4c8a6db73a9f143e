/**
 * A fragmented MP4 passed on as it is: fragments that are whole, each with what time it begins. Where they lie is learned
 * from the file's own index (`sidx`) and from those that passed.
 */

import { createFile, type ISOFile, MP4BoxBuffer } from "mp4box";
import { joined, type Source } from "./gather";
import type { Segment } from "./messages";
import { rebased } from "./rebase";
import type { Beginning } from "./table";

const LARGEST = 150_000_000; // bytes of a fragment: browsers keep no more, and it is appended whole

/** A fragment is larger than a browser takes. */
export class TooLarge extends Error {
  constructor(readonly size: number) {
    super(`a fragment has ${size} bytes`);
  }
}

export interface Place {
  time: number;
  offset: number;
}

/** What the index says of a track; its fragments may say otherwise, but for the first two. */
export interface Defaults {
  timescale: number;
  beginning: Beginning;
  /** Of a sample, in the track's units. */
  duration: number;
  /** Of a sample: ISO/IEC 14496-12 section 8.8.3.1. */
  flags: number;
}

/** A fragment's seconds, and when its first and its last sync sample are shown; null where it has none. */
interface Span {
  from: number;
  to: number;
  syncs: [first: number, last: number] | null;
}

type Traf = ISOFile["moofs"][number]["trafs"][number];

const NO_SYNC = 0x10000; // of a sample's flags
const HAS = { duration: 0x8, flags: 0x20 }; // tfhd: it has its own default for samples
const FIRST = 0x4; // trun: the flags of the first sample differ

/** The last of `places` not after `time`; they are in order. */
export function before(places: readonly Place[], time: number): Place | undefined {
  return places.findLast((place) => place.time <= time);
}

export class Passing implements Source {
  readonly #track: number;
  readonly #defaults: ReadonlyMap<number, Defaults>;
  readonly #size: number;
  readonly #places: Place[];
  #pieces: Uint8Array[] = [];
  #length = 0;
  #start = -1; // of the pieces, in the file
  #moof: { bytes: Uint8Array; span: Span } | null = null;
  #last = 0; // seconds, where a fragment does not say when it begins
  #passed = 0;

  /**
   * `track` is the one whose sync samples count; `first` is where the fragments begin; `known` those whose places the file
   * told, and which one can begin with.
   */
  constructor(
    track: number,
    defaults: ReadonlyMap<number, Defaults>,
    first: number,
    size: number,
    known: readonly Place[],
  ) {
    this.#track = track;
    this.#defaults = defaults;
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
    const type = String.fromCharCode(...front.subarray(4, 8));
    if (size > LARGEST && type === "mdat" && this.#moof !== null) throw new TooLarge(size);
    if (size < 8 || size > LARGEST) throw new Error(`there is no box at ${this.#start}`);
    return { size, type };
  }

  #box(type: string, bytes: Uint8Array): Segment | null {
    if (type === "moof") {
      const span = this.#spanOf(bytes);
      this.#moof = { bytes: rebased(bytes, this.#start), span };
      this.#last = span.to;
      const [time] = span.syncs ?? [-1]; // with a fragment that has none one cannot begin
      if (time > (this.#places.at(-1)?.time ?? -1)) this.#places.push({ time, offset: this.#start });
      return null;
    }
    if (type !== "mdat" || this.#moof === null) return null;
    const { bytes: moof, span } = this.#moof;
    this.#moof = null;
    const { from, to, syncs } = span;
    return { track: this.#track, from, to, sync: syncs?.[1] ?? null, data: joined(moof, bytes).buffer };
  }

  #spanOf(moof: Uint8Array): Span {
    const file = createFile();
    file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(joined(moof).buffer, 0));
    const spans = (file.moofs[0]?.trafs ?? []).flatMap((traf) => {
      const defaults = this.#defaults.get(traf.tfhd.track_id);
      return defaults === undefined || traf.tfdt === undefined ? [] : [{ id: traf.tfhd.track_id, ...spanOf(traf, defaults) }];
    });
    if (spans.length === 0) return { from: this.#last, to: this.#last, syncs: null };
    return {
      from: Math.min(...spans.map(({ from }) => from)),
      to: Math.max(...spans.map(({ to }) => to)),
      syncs: spans.find(({ id }) => id === this.#track)?.syncs ?? null,
    };
  }
}

/** What a fragment has of one track. */
function spanOf({ tfhd, tfdt, truns }: Traf, { timescale, beginning, duration, flags }: Defaults): Span {
  if ((tfhd.flags & HAS.duration) !== 0) duration = tfhd.default_sample_duration;
  if ((tfhd.flags & HAS.flags) !== 0) flags = tfhd.default_sample_flags;
  const { late, cut } = beginning;
  const seconds = (units: number) => units / timescale + late - cut;
  const begin = tfdt.baseMediaDecodeTime;
  let units = begin;
  let syncs: Span["syncs"] = null;
  for (const trun of truns) {
    if (trun.sample_count > LARGEST) throw new Error("there are more samples than bytes");
    const first = (trun.flags & FIRST) === 0 ? flags : trun.first_sample_flags;
    for (let place = 0; place < trun.sample_count; place += 1) {
      const own = trun.sample_flags[place] ?? (place === 0 ? first : flags);
      if ((own & NO_SYNC) === 0) {
        const shown = (units + (trun.sample_composition_time_offset[place] ?? 0)) / timescale - cut; // at least: Chromium knows of no `late`
        syncs = [syncs?.[0] ?? shown, shown];
      }
      units += trun.sample_duration[place] ?? duration;
    }
  }
  return { from: seconds(begin), to: seconds(units), syncs };
}
