/**
 * Fragments of a progressive MP4, made as its bytes pass by. Each track waits for its next sample; what nobody waits for
 * is let go at once, so what is kept is a second of each track and the sample that came in half. Where the file does not
 * hold its tracks side by side, it says where to read on.
 */

import { concat } from "./concat";
import { writeFragment } from "./fragment";
import type { Segment } from "./messages";
import { decodeTime, lastSyncSample, presentationTime, type SampleTable, syncSampleFor, valueAt } from "./sample-table";

const MAX_DURATION = 1; // seconds of a fragment
const MAX_SIZE = 1_000_000; // bytes of a fragment, about
const SEEK_THRESHOLD = 4_000_000; // bytes one reads over rather than seek
const MAX_LEAD = 5; // seconds that one track is read on while another waits

interface TrackState {
  table: SampleTable;
  /** The place of the sample that is waited for. */
  next: number;
  /** The samples before it that wait to be a fragment. */
  parts: Uint8Array[];
  bytes: number;
}

/** Something that makes segments of the bytes of a file. */
export interface SegmentSource {
  /** Forget where it was; answers the byte from which it has to be given the file to show what is at `time`. */
  seek: (time: number) => number;
  /** The bytes that follow do not belong to those before. */
  restart: () => void;
  /** The bytes of the file at `offset`. */
  push: (offset: number, bytes: Uint8Array) => Segment[];
  /** The byte at which to read on when one stands at `position`, null for right there. */
  seekTarget: (position: number) => number | null;
  readonly done: boolean;
}

const finished = (lane: TrackState) => lane.next >= lane.table.count;
const nextOffset = (lane: TrackState) => valueAt(lane.table.offset, lane.next);

export class ProgressiveSource implements SegmentSource {
  readonly #tracks: TrackState[];
  #rest = new Uint8Array(0);
  #sequence = 0;

  constructor(tables: readonly SampleTable[]) {
    this.#tracks = tables.map((table) => ({ table, next: 0, parts: [], bytes: 0 }));
  }

  get done(): boolean {
    return this.#tracks.every((lane) => finished(lane) && lane.parts.length === 0);
  }

  seek(time: number): number {
    for (const lane of this.#tracks) Object.assign(lane, { next: syncSampleFor(lane.table, time), parts: [], bytes: 0 });
    this.restart();
    const open = this.#tracks.filter((lane) => !finished(lane));
    return open.length === 0 ? 0 : Math.min(...open.map(nextOffset));
  }

  restart(): void {
    this.#rest = new Uint8Array(0);
  }

  push(offset: number, bytes: Uint8Array): Segment[] {
    const start = offset - this.#rest.length;
    const end = offset + bytes.length;
    const window = this.#rest.length === 0 ? bytes : concat(this.#rest, bytes);
    const segments = this.#tracks.flatMap((lane) => this.#collect(lane, window, start, end));
    const half = this.#tracks.filter((lane) => !finished(lane)).map(nextOffset).filter((each) => each >= start && each < end);
    const keep = Math.min(end, ...half);
    this.#rest = window.slice(keep - start); // a copy: what was cut off is free
    return segments;
  }

  seekTarget(position: number): number | null {
    const open = this.#tracks.filter((lane) => !finished(lane));
    const [late] = [...open].sort((one, other) => decodeTime(one.table, one.next) - decodeTime(other.table, other.next));
    if (late === undefined) return null;
    const start = position - this.#rest.length;
    const near = (lane: TrackState) => nextOffset(lane) >= start && nextOffset(lane) <= position + SEEK_THRESHOLD;
    if (near(late)) return null;
    const since = decodeTime(late.table, late.next);
    if (open.some((lane) => near(lane) && decodeTime(lane.table, lane.next) - since < MAX_LEAD)) return null;
    return nextOffset(late);
  }

  #collect(lane: TrackState, window: Uint8Array, start: number, end: number): Segment[] {
    const segments: Segment[] = [];
    const { table } = lane;
    while (!finished(lane)) {
      const [offset, size] = [nextOffset(lane), valueAt(table.size, lane.next)];
      if (offset < start || offset + size > end) break;
      const first = lane.next - lane.parts.length;
      if (lane.parts.length > 0 && valueAt(table.description, first) !== valueAt(table.description, lane.next))
        segments.push(this.#cut(lane));
      lane.parts.push(window.subarray(offset - start, offset - start + size));
      lane.bytes += size;
      lane.next += 1;
      const long = decodeTime(table, lane.next) - decodeTime(table, lane.next - lane.parts.length) >= MAX_DURATION;
      if (long || lane.bytes >= MAX_SIZE || finished(lane)) segments.push(this.#cut(lane));
    }
    return segments;
  }

  #cut(lane: TrackState): Segment {
    const { table, parts } = lane;
    const first = lane.next - parts.length;
    this.#sequence += 1;
    const data = writeFragment(this.#sequence, table, first, parts);
    const [from, to] = [decodeTime(table, first), decodeTime(table, lane.next)];
    const sync = lastSyncSample(table, first, lane.next);
    Object.assign(lane, { parts: [], bytes: 0 });
    return { track: table.id, from, to, sync: sync === null ? null : presentationTime(table, sync), data };
  }
}
