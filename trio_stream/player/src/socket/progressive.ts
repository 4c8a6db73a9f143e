/**
 * Builds fragments from a progressive MP4 while its bytes arrive. Each track waits for its next sample. All other bytes are
 * dropped at once, so memory holds a second of each track and one incomplete sample. If the tracks of the file are not
 * interleaved, the source says where to continue reading.
 */

import { concat } from "./concat";
import { writeFragment } from "./fragment";
import type { Segment } from "./messages";
import { decodeTime, lastSyncSample, presentationTime, type SampleTable, syncSampleFor, valueAt } from "./sample-table";

const MAX_DURATION = 1; // seconds per fragment
const MAX_SIZE = 1_000_000; // bytes per fragment, approximately
const SEEK_THRESHOLD = 4_000_000; // up to this many bytes are skipped by reading, not by a seek
const MAX_LEAD = 5; // seconds one track may be ahead while another waits

interface TrackState {
  table: SampleTable;
  /** The index of the sample it waits for. */
  next: number;
  /** The samples before that, not yet in a fragment. */
  parts: Uint8Array[];
  bytes: number;
}

/** Builds segments from the bytes of a file. */
export interface SegmentSource {
  /** Start again at `time`. Returns the offset from which it needs the bytes of the file. */
  seek: (time: number) => number;
  /** The next bytes do not follow the last ones. */
  restart: () => void;
  /** The bytes of the file at `offset`. */
  push: (offset: number, bytes: Uint8Array) => Segment[];
  /** The offset at which to continue reading after `position`; null to continue at `position` itself. */
  seekTarget: (position: number) => number | null;
  readonly done: boolean;
}

const finished = (track: TrackState) => track.next >= track.table.count;
const nextOffset = (track: TrackState) => valueAt(track.table.offset, track.next);

export class ProgressiveSource implements SegmentSource {
  readonly #tracks: TrackState[];
  #rest = new Uint8Array(0);
  #sequence = 0;

  constructor(tables: readonly SampleTable[]) {
    this.#tracks = tables.map((table) => ({ table, next: 0, parts: [], bytes: 0 }));
  }

  get done(): boolean {
    return this.#tracks.every((track) => finished(track) && track.parts.length === 0);
  }

  seek(time: number): number {
    for (const track of this.#tracks) Object.assign(track, { next: syncSampleFor(track.table, time), parts: [], bytes: 0 });
    this.restart();
    const open = this.#tracks.filter((track) => !finished(track));
    return open.length === 0 ? 0 : Math.min(...open.map(nextOffset));
  }

  restart(): void {
    this.#rest = new Uint8Array(0);
  }

  push(offset: number, bytes: Uint8Array): Segment[] {
    const start = offset - this.#rest.length;
    const end = offset + bytes.length;
    const window = this.#rest.length === 0 ? bytes : concat(this.#rest, bytes);
    const segments = this.#tracks.flatMap((track) => this.#collect(track, window, start, end));
    const awaited = this.#tracks.filter((track) => !finished(track)).map(nextOffset);
    const incomplete = awaited.filter((each) => each >= start && each < end);
    const keepFrom = Math.min(end, ...incomplete);
    this.#rest = window.slice(keepFrom - start); // a copy, so that the rest can be freed
    return segments;
  }

  seekTarget(position: number): number | null {
    const open = this.#tracks.filter((track) => !finished(track));
    const [behind] = [...open].sort((one, other) => decodeTime(one.table, one.next) - decodeTime(other.table, other.next));
    if (behind === undefined) return null;
    const start = position - this.#rest.length;
    const near = (track: TrackState) => nextOffset(track) >= start && nextOffset(track) <= position + SEEK_THRESHOLD;
    if (near(behind)) return null;
    const since = decodeTime(behind.table, behind.next);
    if (open.some((track) => near(track) && decodeTime(track.table, track.next) - since < MAX_LEAD)) return null;
    return nextOffset(behind);
  }

  #collect(track: TrackState, window: Uint8Array, start: number, end: number): Segment[] {
    const segments: Segment[] = [];
    const { table } = track;
    while (!finished(track)) {
      const [offset, size] = [nextOffset(track), valueAt(table.size, track.next)];
      if (offset < start || offset + size > end) break;
      const first = track.next - track.parts.length;
      if (track.parts.length > 0 && valueAt(table.description, first) !== valueAt(table.description, track.next))
        segments.push(this.#cut(track));
      track.parts.push(window.subarray(offset - start, offset - start + size));
      track.bytes += size;
      track.next += 1;
      const long = decodeTime(table, track.next) - decodeTime(table, track.next - track.parts.length) >= MAX_DURATION;
      if (long || track.bytes >= MAX_SIZE || finished(track)) segments.push(this.#cut(track));
    }
    return segments;
  }

  #cut(track: TrackState): Segment {
    const { table, parts } = track;
    const first = track.next - parts.length;
    this.#sequence += 1;
    const data = writeFragment(this.#sequence, table, first, parts);
    const [from, to] = [decodeTime(table, first), decodeTime(table, track.next)];
    const sync = lastSyncSample(table, first, track.next);
    Object.assign(track, { parts: [], bytes: 0 });
    return { track: table.id, from, to, sync: sync === null ? null : presentationTime(table, sync), data };
  }
}
