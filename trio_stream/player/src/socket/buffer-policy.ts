/** How much to buffer: how far ahead to read, what to remove behind the current time, and what to remove when full. */

/** Time ranges in seconds, sorted. */
export type Ranges = readonly (readonly [from: number, to: number])[];

export const TARGET = 20; // seconds to buffer ahead, approximately
const RESUME_BELOW = 18; // seconds ahead below which the server resumes
const LOW = 10; // seconds ahead below which the server is not paused
const BEHIND = 30; // seconds to keep behind the current time
const SLACK = 10; // seconds beyond these that must be removable, so that removals are rare
const MAX_SEAM = 0.3; // seconds between two ranges that players skip
const MARGIN = 0.1; // seconds before a sync sample at which a removal ends, because clocks are rounded

export function rangesOf(buffered: TimeRanges): [number, number][] {
  return Array.from({ length: buffered.length }, (_, index) => [buffered.start(index), buffered.end(index)]);
}

/** Up to which second playback can continue from `time`; `time` itself if it is not buffered. */
export function reach(ranges: Ranges, time: number): number {
  let end = time;
  for (const [from, to] of ranges) if (from <= end + MAX_SEAM && to > end) end = to;
  return end;
}

/** Whether `time` is buffered. */
export const holds = (ranges: Ranges, time: number) => ranges.some(([from, to]) => from - MAX_SEAM <= time && time < to);

/** The ranges that are in both. */
export function intersection(one: Ranges, other: Ranges): [number, number][] {
  return one.flatMap(([from, to]) =>
    other
      .map(([begin, end]): [number, number] => [Math.max(from, begin), Math.min(to, end)])
      .filter(([begin, end]) => begin < end),
  );
}

/** Where playback continues if `time` is in a gap, as when a track begins late; null without a gap, or at the end. */
export const gapEnd = (ranges: Ranges, time: number): number | null =>
  holds(ranges, time) ? null : (ranges.find(([from]) => from > time)?.[0] ?? null);

/**
 * Whether the server should wait, with `ahead` seconds buffered; `before` is whether it waits already.
 *
 * While little is buffered, the page reads everything that arrives. After that it reads in small portions: it pauses the
 * server as soon as bytes arrive, while more are in transit, and resumes it on a timer (`tick`) when some were watched.
 * To pause only at the twentieth second would be too late: a fast network has delivered a minute by then.
 */
export function shouldWait(before: boolean, ahead: number, tick: boolean): boolean {
  if (tick) return ahead > RESUME_BELOW && before;
  return before || ahead >= LOW;
}

/** Up to which second to remove what was watched long ago; null while that is too little. */
export const expiredUntil = (ranges: Ranges, syncs: readonly number[], time: number): number | null =>
  removable(ranges, syncs, time - BEHIND, SLACK);

/** Whether nothing is buffered after `time`: playback continues only when more arrives. */
export const isExhausted = (ranges: Ranges, time: number): boolean => reach(ranges, time) - time < MAX_SEAM;

/**
 * Up to which second to remove when the buffer is full; null if it holds only what is still to be shown and what is needed
 * to decode that. Then the page must wait until some was shown. If nothing is left to show, even a little is removed.
 */
export const droppableUntil = (ranges: Ranges, syncs: readonly number[], time: number): number | null =>
  isExhausted(ranges, time) ? removable(ranges, syncs, time, 2 * MARGIN) : removable(ranges, syncs, time - 1, 1);

/**
 * Whether `ranges` hold a single GOP: no part of it can be removed while it plays. A browser removes only whole GOPs (Media
 * Source Extensions, "coded frame removal").
 */
export const oneGroup = (ranges: Ranges, syncs: readonly number[]): boolean =>
  syncs.every((sync) => sync <= (ranges[0]?.[0] ?? 0) + 1);

/**
 * Up to which second data can be removed without losing what is at `time`; null if that is less than `worth` seconds.
 * `syncs` are the presentation times of the sync samples. A removal continues to the first sync sample at or after its
 * end, because the samples in between can no longer be decoded (Media Source Extensions, "coded frame removal"). So it
 * must end at the last sync sample before `time`. After a seek, that may be long before the current time.
 */
function removable(ranges: Ranges, syncs: readonly number[], time: number, worth: number): number | null {
  const first = ranges[0]?.[0];
  const sync = syncs.findLast((each) => each <= time);
  return first !== undefined && sync !== undefined && first < sync - worth ? sync - MARGIN : null;
}
