/**
 * Passes on the whole fragments of a fragmented MP4, each with the time at which it begins. Their positions come from the
 * file's own index (`sidx`) and from the fragments read so far.
 */

import { createFile, type ISOFile, MP4BoxBuffer } from "mp4box";
import { concat } from "./concat";
import type { Segment } from "./messages";
import type { SegmentSource } from "./progressive";
import { rebaseOffsets } from "./rebase-offsets";
import type { TrackStart } from "./sample-table";

const MAX_SIZE = 150_000_000; // bytes per fragment: browsers buffer no more, and a fragment is appended whole

/** A fragment is larger than browsers buffer. */
export class FragmentTooLarge extends Error {
  constructor(readonly size: number) {
    super(`a fragment has ${size} bytes`);
  }
}

export interface FragmentPosition {
  time: number;
  offset: number;
}

/** What the index says about a track. Fragments may override all but the first two. */
export interface Defaults {
  timescale: number;
  start: TrackStart;
  /** Of a sample, in ticks of the track's timescale. */
  duration: number;
  /** Of a sample: ISO/IEC 14496-12 section 8.8.3.1. */
  flags: number;
}

/** The time range of a fragment, and the presentation times of its first and last sync sample; null if it has none. */
interface Span {
  from: number;
  to: number;
  syncs: [first: number, last: number] | null;
}

type Traf = ISOFile["moofs"][number]["trafs"][number];

const NO_SYNC = 0x10000; // in the flags of a sample
const TFHD = { duration: 0x8, flags: 0x20 }; // tfhd: overrides the default for samples
const FIRST_SAMPLE_FLAGS = 0x4; // trun: has separate flags for the first sample

/** The last of `positions` that is not after `time`; they are sorted by time. */
export function lastBefore(positions: readonly FragmentPosition[], time: number): FragmentPosition | undefined {
  return positions.findLast((position) => position.time <= time);
}

export class FragmentedSource implements SegmentSource {
  readonly #track: number;
  readonly #defaults: ReadonlyMap<number, Defaults>;
  readonly #size: number;
  readonly #positions: FragmentPosition[];
  #parts: Uint8Array[] = [];
  #length = 0;
  #start = -1; // offset of the first part in the file
  #moof: { bytes: Uint8Array; span: Span } | null = null;
  #last = 0; // seconds; where a fragment without a time of its own begins
  #nextOffset = 0;

  /**
   * `track` is the track whose sync samples count, `first` the offset of the first fragment. `indexed` are the fragments at
   * which playback can start, from the index of the file.
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
    const position = lastBefore(this.#positions, time) ?? this.#positions[0];
    const offset = position?.offset ?? 0;
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
      // Ignore the bytes before the wanted fragment.
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

  /** The size and type of the first box; null until its header has arrived. */
  #head(): { size: number; type: string } | null {
    if (this.#length < 16) {
      if (this.#length < 8 || this.#start + this.#length < this.#size) return null;
    }
    const header = (this.#parts[0]?.length ?? 0) >= 16 ? (this.#parts[0] as Uint8Array) : concat(...this.#parts);
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    let size = view.getUint32(0);
    if (size === 1) size = Number(view.getBigUint64(8));
    if (size === 0) size = this.#size - this.#start;
    const type = String.fromCharCode(...header.subarray(4, 8));
    if (size > MAX_SIZE && type === "mdat" && this.#moof !== null) throw new FragmentTooLarge(size);
    if (size < 8 || size > MAX_SIZE) throw new Error(`no valid MP4 box at byte ${this.#start}`);
    return { size, type };
  }

  #box(type: string, bytes: Uint8Array): Segment | null {
    if (type === "moof") {
      const span = this.#spanOf(bytes);
      this.#moof = { bytes: rebaseOffsets(bytes, this.#start), span };
      this.#last = span.to;
      const [time] = span.syncs ?? [-1]; // playback cannot start at a fragment without a sync sample
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

/** The time range of one track in a fragment. */
function spanOf({ tfhd, tfdt, truns }: Traf, { timescale, start, duration, flags }: Defaults): Span {
  if ((tfhd.flags & TFHD.duration) !== 0) duration = tfhd.default_sample_duration;
  if ((tfhd.flags & TFHD.flags) !== 0) flags = tfhd.default_sample_flags;
  const { late, cut } = start;
  const seconds = (units: number) => units / timescale + late - cut;
  const begin = tfdt.baseMediaDecodeTime;
  let units = begin;
  let syncs: Span["syncs"] = null;
  for (const trun of truns) {
    if (trun.sample_count > MAX_SIZE) throw new Error("a fragment lists more samples than it can have bytes");
    const first = (trun.flags & FIRST_SAMPLE_FLAGS) === 0 ? flags : trun.first_sample_flags;
    for (let index = 0; index < trun.sample_count; index += 1) {
      const own = trun.sample_flags[index] ?? (index === 0 ? first : flags);
      if ((own & NO_SYNC) === 0) {
        // A lower bound: Chromium ignores `late`.
        const shown = (units + (trun.sample_composition_time_offset[index] ?? 0)) / timescale - cut;
        syncs = [syncs?.[0] ?? shown, shown];
      }
      units += trun.sample_duration[index] ?? duration;
    }
  }
  return { from: seconds(begin), to: seconds(units), syncs };
}
