/**
 * Fragments of a progressive MP4, made as its bytes pass by. Each track waits for its next sample; what nobody waits for
 * is let go at once, so what is kept is a second of each track and the sample that came in half. Where the file does not
 * hold its tracks side by side, it says where to read on.
 */

import { fragment } from "./fragment";
import type { Segment } from "./messages";
import { at, lastSync, shownAt, syncAt, type Table, timeAt } from "./table";

const LONGEST = 1; // seconds of a fragment
const LARGEST = 1_000_000; // bytes of a fragment, about
const FAR = 4_000_000; // bytes one reads over rather than seek
const LEAD = 5; // seconds that one track is read on while another waits

interface Lane {
  table: Table;
  /** The place of the sample that is waited for. */
  next: number;
  /** The samples before it that wait to be a fragment. */
  parts: Uint8Array[];
  bytes: number;
}

/** Something that makes segments of the bytes of a file. */
export interface Source {
  /** Forget where it was; answers the byte from which it has to be given the file to show what is at `time`. */
  seek: (time: number) => number;
  /** The bytes that follow do not belong to those before. */
  restart: () => void;
  /** The bytes of the file at `offset`. */
  push: (offset: number, bytes: Uint8Array) => Segment[];
  /** The byte at which to read on when one stands at `position`, null for right there. */
  wish: (position: number) => number | null;
  readonly done: boolean;
}

const finished = (lane: Lane) => lane.next >= lane.table.count;
const wanted = (lane: Lane) => at(lane.table.offset, lane.next);

export class Gatherer implements Source {
  readonly #lanes: Lane[];
  #rest = new Uint8Array(0);
  #sequence = 0;

  constructor(tables: readonly Table[]) {
    this.#lanes = tables.map((table) => ({ table, next: 0, parts: [], bytes: 0 }));
  }

  get done(): boolean {
    return this.#lanes.every((lane) => finished(lane) && lane.parts.length === 0);
  }

  seek(time: number): number {
    for (const lane of this.#lanes) Object.assign(lane, { next: syncAt(lane.table, time), parts: [], bytes: 0 });
    this.restart();
    const open = this.#lanes.filter((lane) => !finished(lane));
    return open.length === 0 ? 0 : Math.min(...open.map(wanted));
  }

  restart(): void {
    this.#rest = new Uint8Array(0);
  }

  push(offset: number, bytes: Uint8Array): Segment[] {
    const start = offset - this.#rest.length;
    const end = offset + bytes.length;
    const window = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    const segments = this.#lanes.flatMap((lane) => this.#take(lane, window, start, end));
    const half = this.#lanes.filter((lane) => !finished(lane)).map(wanted).filter((each) => each >= start && each < end);
    const keep = Math.min(end, ...half);
    this.#rest = window.slice(keep - start); // a copy: what was cut off is free
    return segments;
  }

  wish(position: number): number | null {
    const open = this.#lanes.filter((lane) => !finished(lane));
    const [late] = [...open].sort((one, other) => timeAt(one.table, one.next) - timeAt(other.table, other.next));
    if (late === undefined) return null;
    const start = position - this.#rest.length;
    const near = (lane: Lane) => wanted(lane) >= start && wanted(lane) <= position + FAR;
    if (near(late)) return null;
    const since = timeAt(late.table, late.next);
    if (open.some((lane) => near(lane) && timeAt(lane.table, lane.next) - since < LEAD)) return null;
    return wanted(late);
  }

  #take(lane: Lane, window: Uint8Array, start: number, end: number): Segment[] {
    const segments: Segment[] = [];
    const { table } = lane;
    while (!finished(lane)) {
      const [offset, size] = [wanted(lane), at(table.size, lane.next)];
      if (offset < start || offset + size > end) break;
      const first = lane.next - lane.parts.length;
      if (lane.parts.length > 0 && at(table.description, first) !== at(table.description, lane.next))
        segments.push(this.#cut(lane));
      lane.parts.push(window.subarray(offset - start, offset - start + size));
      lane.bytes += size;
      lane.next += 1;
      const long = timeAt(table, lane.next) - timeAt(table, lane.next - lane.parts.length) >= LONGEST;
      if (long || lane.bytes >= LARGEST || finished(lane)) segments.push(this.#cut(lane));
    }
    return segments;
  }

  #cut(lane: Lane): Segment {
    const { table, parts } = lane;
    const first = lane.next - parts.length;
    this.#sequence += 1;
    const data = fragment(this.#sequence, table, first, parts);
    const [from, to] = [timeAt(table, first), timeAt(table, lane.next)];
    const sync = lastSync(table, first, lane.next);
    Object.assign(lane, { parts: [], bytes: 0 });
    return { track: table.id, from, to, sync: sync === null ? null : shownAt(table, sync), data };
  }
}

export function joined(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let place = 0;
  for (const piece of pieces) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}
