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

export function buildSampleTable(id: number, timescale: number, { late, cut }: TrackStart, samples: readonly SampleEntry[]): SampleTable {
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
  samples.forEach((sample, place) => {
    table.offset[place] = sample.offset;
    table.size[place] = sample.size;
    table.dts[place] = sample.dts + later;
    table.compositionOffset[place] = sample.cts - sample.dts;
    table.duration[place] = sample.duration;
    table.sync[place] = sample.is_sync ? 1 : 0;
    table.description[place] = sample.description_index;
  });
  return table;
}

/** The value at `place`, which must exist. */
export const valueAt = (column: { readonly [place: number]: number }, place: number): number => column[place] ?? 0;

/** The second of the video at which sample `place` is decoded; past the last sample, the end of the track. */
export function decodeTime(table: SampleTable, place: number): number {
  if (table.count === 0) return 0;
  const last = table.count - 1;
  const units =
    place > last ? valueAt(table.dts, last) + valueAt(table.duration, last) : valueAt(table.dts, place);
  return units / table.timescale - table.cut;
}

/** The second of the video at which sample `place` is shown. */
export const presentationTime = (table: SampleTable, place: number): number =>
  (valueAt(table.dts, place) + valueAt(table.compositionOffset, place)) / table.timescale - table.cut;

/** The index of the sample at which decoding must start to show `time`: the last sync sample before it. */
export function syncSampleFor(table: SampleTable, time: number): number {
  const units = (time + table.cut) * table.timescale;
  let [low, high] = [0, table.count - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (valueAt(table.dts, middle) <= units) low = middle;
    else high = middle - 1;
  }
  for (let place = low; place > 0; place -= 1)
    if (valueAt(table.sync, place) === 1 && valueAt(table.dts, place) + valueAt(table.compositionOffset, place) <= units + 0.5) return place;
  return 0;
}

/** The index of the last sync sample from `first` up to, but not including, `end`; null if there is none. */
export function lastSyncSample(table: SampleTable, first: number, end: number): number | null {
  const place = table.sync.subarray(first, end).lastIndexOf(1);
  return place < 0 ? null : first + place;
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
