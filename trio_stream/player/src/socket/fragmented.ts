/**
 * A fragmented MP4 passed on as it is: fragments that are whole, each with what time it begins. Where they lie is learned
 * from the file's own index (`sidx`) and from those that passed.
 */

import { createFile, type ISOFile, MP4BoxBuffer } from "mp4box";
import { concat } from "./concat";
import type { Segment } from "./messages";
import type { SegmentSource } from "./progressive";
import { rebaseOffsets } from "./rebase-offsets";
import type { TrackStart } from "./sample-table";

const MAX_SIZE = 150_000_000; // bytes of a fragment: browsers keep no more, and it is appended whole

/** A fragment is larger than a browser takes. */
export class FragmentTooLarge extends Error {
  constructor(readonly size: number) {
    super(`a fragment has ${size} bytes`);
  }
}

export interface FragmentPosition {
  time: number;
  offset: number;
}

/** What the index says of a track; its fragments may say otherwise, but for the first two. */
export interface Defaults {
  timescale: number;
  beginning: TrackStart;
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
const TFHD = { duration: 0x8, flags: 0x20 }; // tfhd: it has its own default for samples
const FIRST_SAMPLE_FLAGS = 0x4; // trun: the flags of the first sample differ

/** The last of `places` not after `time`; they are in order. */
export function lastBefore(places: readonly FragmentPosition[], time: number): FragmentPosition | undefined {
  return places.findLast((place) => place.time <= time);
}

export class FragmentedSource implements SegmentSource {
  readonly #track: number;
  readonly #defaults: ReadonlyMap<number, Defaults>;
  readonly #size: number;
  readonly #positions: FragmentPosition[];
  #parts: Uint8Array[] = [];
  #length = 0;
  #start = -1; // of the pieces, in the file
  #moof: { bytes: Uint8Array; span: Span } | null = null;
  #last = 0; // seconds, where a fragment does not say when it begins
  #nextOffset = 0;

  /**
   * `track` is the one whose sync samples count; `first` is where the fragments begin; `known` those whose places the file
   * told, and which one can begin with.
   */
  constructor(
    track: number,
    defaults: ReadonlyMap<number, Defaults>,
    first: number,
    size: number,
    indexed: readonly FragmentPosition[],
  ) {
    this.#track = track;
    this.#defaults = defaults;
    this.#size = size;
    this.#positions = indexed.length > 0 ? [...indexed] : [{ time: 0, offset: first }];
    this.#nextOffset = first;
  }

  get done(): boolean {
    return this.#nextOffset >= this.#size;
  }

  seek(time: number): number {
    this.restart();
    const place = lastBefore(this.#positions, time) ?? this.#positions[0];
    const offset = place?.offset ?? 0;
    this.#nextOffset = offset;
    return offset;
  }

  restart(): void {
    this.#parts = [];
    this.#length = 0;
    this.#start = -1;
    this.#moof = null;
  }

  seekTarget(position: number): number | null {
    return this.#start < 0 && position !== this.#nextOffset ? this.#nextOffset : null;
  }

  push(offset: number, bytes: Uint8Array): Segment[] {
    if (this.#start < 0) {
      // What lies before the fragment one wants is not looked at.
      if (offset + bytes.length <= this.#nextOffset || offset > this.#nextOffset) return [];
      bytes = bytes.subarray(this.#nextOffset - offset);
      this.#start = this.#nextOffset;
    }
    this.#parts.push(bytes);
    this.#length += bytes.length;
    const segments: Segment[] = [];
    for (;;) {
      const head = this.#head();
      if (head === null || head.size > this.#length) return segments;
      if (this.#parts.length > 1) this.#parts = [concat(...this.#parts)];
      const whole = this.#parts[0] ?? new Uint8Array(0);
      const segment = this.#box(head.type, whole.subarray(0, head.size));
      if (segment !== null) segments.push(segment);
      this.#parts = [whole.subarray(head.size)];
      this.#length -= head.size;
      this.#start += head.size;
      this.#nextOffset = this.#start;
    }
  }

  /** The size and the type of the box at the front; null where not even that has come. */
  #head(): { size: number; type: string } | null {
    if (this.#length < 16) {
      if (this.#length < 8 || this.#start + this.#length < this.#size) return null;
    }
    const front = (this.#parts[0]?.length ?? 0) >= 16 ? (this.#parts[0] as Uint8Array) : concat(...this.#parts);
    const view = new DataView(front.buffer, front.byteOffset, front.byteLength);
    let size = view.getUint32(0);
    if (size === 1) size = Number(view.getBigUint64(8));
    if (size === 0) size = this.#size - this.#start;
    const type = String.fromCharCode(...front.subarray(4, 8));
    if (size > MAX_SIZE && type === "mdat" && this.#moof !== null) throw new FragmentTooLarge(size);
    if (size < 8 || size > MAX_SIZE) throw new Error(`there is no box at ${this.#start}`);
    return { size, type };
  }

  #box(type: string, bytes: Uint8Array): Segment | null {
    if (type === "moof") {
      const span = this.#spanOf(bytes);
      this.#moof = { bytes: rebaseOffsets(bytes, this.#start), span };
      this.#last = span.to;
      const [time] = span.syncs ?? [-1]; // with a fragment that has none one cannot begin
      if (time > (this.#positions.at(-1)?.time ?? -1)) this.#positions.push({ time, offset: this.#start });
      return null;
    }
    if (type !== "mdat" || this.#moof === null) return null;
    const { bytes: moof, span } = this.#moof;
    this.#moof = null;
    const { from, to, syncs } = span;
    return { track: this.#track, from, to, sync: syncs?.[1] ?? null, data: concat(moof, bytes).buffer };
  }

  #spanOf(moof: Uint8Array): Span {
    const file = createFile();
    file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(concat(moof).buffer, 0));
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
  if ((tfhd.flags & TFHD.duration) !== 0) duration = tfhd.default_sample_duration;
  if ((tfhd.flags & TFHD.flags) !== 0) flags = tfhd.default_sample_flags;
  const { late, cut } = beginning;
  const seconds = (units: number) => units / timescale + late - cut;
  const begin = tfdt.baseMediaDecodeTime;
  let units = begin;
  let syncs: Span["syncs"] = null;
  for (const trun of truns) {
    if (trun.sample_count > MAX_SIZE) throw new Error("there are more samples than bytes");
    const first = (trun.flags & FIRST_SAMPLE_FLAGS) === 0 ? flags : trun.first_sample_flags;
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
