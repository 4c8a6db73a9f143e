/**
 * The samples of a track, in columns: 26 bytes per sample, where objects would take about a hundred. If a track begins
 * late, its decode times are shifted here, because browsers differ in how they apply such an edit list.
 */

export interface SampleEntry {
  offset: number;
  size: number;
  dts: number;
  cts: number;
  duration: number;
  is_sync: boolean;
  description_index: number;
}

/** Seconds of the video before the track begins, and seconds cut off from the start of the track. */
export interface TrackStart {
  late: number;
  cut: number;
}

export interface SampleTable {
  id: number;
  timescale: number;
  /** Seconds cut off from the start: the clock of the track is ahead of the clock of the video by this. */
  cut: number;
  count: number;
  offset: Float64Array;
  size: Uint32Array;
  dts: Float64Array;
  /** From decoding to presentation (`ctts`). */
  compositionOffset: Int32Array;
  duration: Uint32Array;
  sync: Uint8Array;
  description: Uint8Array;
}

export function buildSampleTable(
  id: number,
  timescale: number,
  { late, cut }: TrackStart,
  samples: readonly SampleEntry[],
): SampleTable {
  const count = samples.length;
  const later = Math.round(late * timescale);
  const table: SampleTable = {
    id,
    timescale,
    cut,
    count,
    offset: new Float64Array(count),
    size: new Uint32Array(count),
    dts: new Float64Array(count),
    compositionOffset: new Int32Array(count),
    duration: new Uint32Array(count),
    sync: new Uint8Array(count),
    description: new Uint8Array(count),
  };
  samples.forEach((sample, index) => {
    table.offset[index] = sample.offset;
    table.size[index] = sample.size;
    table.dts[index] = sample.dts + later;
    table.compositionOffset[index] = sample.cts - sample.dts;
    table.duration[index] = sample.duration;
    table.sync[index] = sample.is_sync ? 1 : 0;
    table.description[index] = sample.description_index;
  });
  return table;
}

/** The value at `index`, which must exist. */
export const valueAt = (column: { readonly [index: number]: number }, index: number): number => column[index] ?? 0;

/** The second of the video at which sample `index` is decoded; past the last sample, the end of the track. */
export function decodeTime(table: SampleTable, index: number): number {
  if (table.count === 0) return 0;
  const last = table.count - 1;
  const units =
    index > last ? valueAt(table.dts, last) + valueAt(table.duration, last) : valueAt(table.dts, index);
  return units / table.timescale - table.cut;
}

/** The second of the video at which sample `index` is shown. */
export const presentationTime = (table: SampleTable, index: number): number =>
  (valueAt(table.dts, index) + valueAt(table.compositionOffset, index)) / table.timescale - table.cut;

/** The index of the sample at which decoding must start to show `time`: the last sync sample before it. */
export function syncSampleFor(table: SampleTable, time: number): number {
  const units = (time + table.cut) * table.timescale;
  let [low, high] = [0, table.count - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (valueAt(table.dts, middle) <= units) low = middle;
    else high = middle - 1;
  }
  for (let index = low; index > 0; index -= 1)
    if (valueAt(table.sync, index) === 1 && valueAt(table.dts, index) + valueAt(table.compositionOffset, index) <= units + 0.5)
      return index;
  return 0;
}

/** The index of the last sync sample from `first` up to, but not including, `end`; null if there is none. */
export function lastSyncSample(table: SampleTable, first: number, end: number): number | null {
  const index = table.sync.subarray(first, end).lastIndexOf(1);
  return index < 0 ? null : first + index;
}

/** How a track begins, according to its edit list (ISO/IEC 14496-12 section 8.6.6). */
export function trackStartOf(
  edits: readonly { segment_duration: number; media_time: number }[],
  timescale: number,
  movieTimescale: number,
): TrackStart {
  let late = 0;
  for (const { segment_duration, media_time } of edits) {
    if (media_time >= 0) return { late, cut: media_time / timescale };
    late += segment_duration / movieTimescale;
  }
  return { late, cut: 0 };
}
