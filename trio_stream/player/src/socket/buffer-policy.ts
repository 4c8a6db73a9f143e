/** How much is kept: what is taken ahead, what is let go behind, and what gives way when there is no room. */

/** Seconds, as pairs of from and to, in order. */
export type Ranges = readonly (readonly [from: number, to: number])[];

export const TARGET = 20; // seconds ahead, about
const RESUME_BELOW = 18; // seconds ahead at which a sip is taken
const LOW = 10; // seconds ahead under which one does not stop after a sip
const BEHIND = 30; // seconds behind that are kept
const SLACK = 10; // seconds behind these that are let go at once, rather than bit by bit
const MAX_SEAM = 0.3; // seconds between two ranges that players pass over
const MARGIN = 0.1; // seconds before a sync sample where a removal stops: clocks are rounded

export function rangesOf(buffered: TimeRanges): [number, number][] {
  return Array.from({ length: buffered.length }, (_, place) => [buffered.start(place), buffered.end(place)]);
}

/** Up to which second it can play on from `time`; `time` itself where nothing is there. */
export function reach(ranges: Ranges, time: number): number {
  let end = time;
  for (const [from, to] of ranges) if (from <= end + MAX_SEAM && to > end) end = to;
  return end;
}

/** Whether what is at `time` is there. */
export const holds = (ranges: Ranges, time: number) => ranges.some(([from, to]) => from - MAX_SEAM <= time && time < to);

/** What is in both. */
export function intersection(one: Ranges, other: Ranges): [number, number][] {
  return one.flatMap(([from, to]) =>
    other
      .map(([begin, end]): [number, number] => [Math.max(from, begin), Math.min(to, end)])
      .filter(([begin, end]) => begin < end),
  );
}

/** Where to go on when nothing is at `time`, as where one of the tracks begins late; null where there is, or nothing follows. */
export const gapEnd = (ranges: Ranges, time: number): number | null =>
  holds(ranges, time) ? null : (ranges.find(([from]) => from > time)?.[0] ?? null);

/**
 * Whether the server is to wait, with `ahead` seconds, after it did so or not `before`.
 *
 * Where there is little, all is taken that comes. Then it is taken in sips: the server is told to wait at the first bytes
 * that arrive, when those behind them are under way, and to go on when the clock strikes (`tick`) and some were watched.
 * To wait for the twentieth second before one says so would be late: a fast line has brought a minute by then.
 */
export function shouldWait(before: boolean, ahead: number, tick: boolean): boolean {
  if (tick) return ahead > RESUME_BELOW && before;
  return before || ahead >= LOW;
}

/** Up to which second what is long past goes; null while it is not worth the trouble. */
export const expiredUntil = (ranges: Ranges, syncs: readonly number[], time: number): number | null =>
  removable(ranges, syncs, time - BEHIND, SLACK);

/** Whether all that follows `time` was seen: it plays on only if more comes. */
export const isExhausted = (ranges: Ranges, time: number): boolean => reach(ranges, time) - time < MAX_SEAM;

/**
 * Up to which second to let go when there is no room; null if there is nothing but what is still to be seen and what leads
 * up to that: it has to wait until some was. Where nothing is still to be seen, little is better than to wait.
 */
export const droppableUntil = (ranges: Ranges, syncs: readonly number[], time: number): number | null =>
  isExhausted(ranges, time) ? removable(ranges, syncs, time, 2 * MARGIN) : removable(ranges, syncs, time - 1, 1);

/**
 * Whether `ranges` are one group of pictures: nothing of it goes while any of it is played. A browser lets go of whole
 * groups only (Media Source Extensions, "coded frame removal").
 */
export const oneGroup = (ranges: Ranges, syncs: readonly number[]): boolean =>
  syncs.every((each) => each <= (ranges[0]?.[0] ?? 0) + 1);

/**
 * Up to which second one may remove and keep what is at `time`; null if fewer than `worth` seconds would go. `syncs` are
 * when the sync samples are shown. A removal goes on to the first of them that is not before where it was told to end, as
 * what lies between cannot be decoded any more (Media Source Extensions, "coded frame removal"): so it has to end at the
 * last one before `time`. After a seek, that may be long before where the video stands.
 */
function removable(ranges: Ranges, syncs: readonly number[], time: number, worth: number): number | null {
  const first = ranges[0]?.[0];
  const sync = syncs.findLast((each) => each <= time);
  return first !== undefined && sync !== undefined && first < sync - worth ? sync - MARGIN : null;
}
