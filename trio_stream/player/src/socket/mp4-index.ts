/** Reads the index (`moov`) of an MP4 with mp4box.js, wherever it is in the file. */

import { createFile, DataStream, type ISOFile, MP4BoxBuffer, type Movie } from "mp4box";
import { type Defaults, FragmentedSource, type FragmentPosition } from "./fragmented";
import type { Track } from "./messages";
import { ProgressiveSource, type SegmentSource } from "./progressive";
import { buildSampleTable, trackStartOf } from "./sample-table";

// The box types that files of this family begin with. Older QuickTime files have no `ftyp`.
const FIRST_BOXES = ["ftyp", "moov", "mdat", "free", "skip", "wide", "pnot", "styp"];

export interface Mp4Index {
  tracks: Track[];
  /** Seconds; null if the file does not state it. */
  duration: number | null;
  /** Returns a source that builds segments of the tracks with these ids. */
  source: (tracks: readonly number[]) => SegmentSource;
}

export const isMp4 = (bytes: Uint8Array) => FIRST_BOXES.includes(String.fromCharCode(...bytes.subarray(4, 8)));

/** Reads the index. It stores no media data. */
export class IndexReader {
  readonly #file: ISOFile = createFile();
  #movie: Movie | null = null;

  constructor() {
    this.#file.onReady = (movie) => {
      this.#movie = movie;
    };
  }

  /** Returns the index, or the offset at which to continue reading. Errors of mp4box.js pass through. */
  push(offset: number, bytes: Uint8Array<ArrayBuffer>, size: number): Mp4Index | number {
    const buffer = MP4BoxBuffer.fromArrayBuffer(bytes.slice().buffer, offset);
    const next = this.#file.appendBuffer(buffer);
    if (this.#movie !== null) return buildIndex(this.#file, this.#movie, size);
    return next ?? offset + bytes.length;
  }
}

function buildIndex(file: ISOFile, movie: Movie, size: number): Mp4Index {
  const playable = [...movie.videoTracks, ...movie.audioTracks];
  if (playable.length === 0) throw new Error("the file has no video or audio track");
  if (movie.isFragmented) return fragmentedIndex(file, movie, size);
  const tables = new Map(
    playable.map((track) => [
      track.id,
      buildSampleTable(
        track.id,
        track.timescale,
        trackStartOf(track.edits ?? [], track.timescale, movie.timescale),
        file.getTrackSamplesInfo(track.id) ?? [],
      ),
    ]),
  );
  const duration = movie.timescale ? movie.duration / movie.timescale : null;
  file.onSegment = () => undefined; // mp4box.js builds no segments: `progressive.ts` does
  for (const { id } of playable) {
    file.setSegmentOptions(id, null, {});
    const elst = file.getTrackById(id).edts?.elst;
    if (elst !== undefined) elst.entries = elst.entries.filter(({ media_time }) => media_time >= 0); // see `sample-table.ts`
  }
  const inits = new Map(file.initializeSegmentation("per-track").map(({ id, buffer }) => [id, buffer]));
  return {
    duration,
    tracks: playable.map(({ id, type, codec }) => ({
      id,
      kind: type === "video" ? "video" : "audio",
      codec,
      mime: `${type === "video" ? "video" : "audio"}/mp4; codecs="${codec}"`,
      init: inits.get(id) ?? new ArrayBuffer(0),
    })),
    source: (ids) => new ProgressiveSource(ids.flatMap((id) => tables.get(id) ?? [])),
  };
}

/** The tracks of a fragmented file stay multiplexed and go into one source buffer. */
function fragmentedIndex(file: ISOFile, movie: Movie, size: number): Mp4Index {
  const playable = [...movie.videoTracks, ...movie.audioTracks];
  const codec = playable.map((track) => track.codec).join(",");
  const kind = movie.videoTracks.length > 0 ? "video" : "audio";
  const init = new DataStream();
  file.ftyp.write(init);
  file.moov.write(init);
  const id = playable[0]?.id ?? 0;
  const first = (file.moov.start ?? 0) + file.moov.size;
  const defaults = new Map(
    playable.map(({ id, timescale, edits }): [number, Defaults] => {
      const trackDefaults = file.moov.mvex?.trexs.find((trex) => trex.track_id === id);
      return [
        id,
        {
          timescale,
          start: trackStartOf(edits ?? [], timescale, movie.timescale),
          duration: trackDefaults?.default_sample_duration ?? 0,
          flags: trackDefaults?.default_sample_flags ?? 0,
        },
      ];
    }),
  );
  // Not `movie.fragment_duration`: if the file does not state it, that is the duration received so far.
  const seconds = (file.moov.mvex?.mehd?.fragment_duration ?? 0) / movie.timescale;
  return {
    duration: seconds > 0 ? seconds : null,
    tracks: [{ id, kind, codec, mime: `${kind}/mp4; codecs="${codec}"`, init: init.buffer }],
    source: () => new FragmentedSource(id, defaults, first, size, fragmentPositions(file)),
  };
}

/**
 * The fragments at which playback can start, from the segment index (`sidx`, ISO/IEC 14496-12 section 8.16.3) if it
 * arrived together with `moov`. Some files set that flag on no fragment: then it says nothing, and all are returned.
 */
function fragmentPositions(file: ISOFile): FragmentPosition[] {
  const { sidx } = file;
  if (sidx === undefined) return [];
  let time = sidx.earliest_presentation_time / sidx.timescale;
  let offset = (sidx.start ?? 0) + sidx.size + sidx.first_offset;
  const all = sidx.references.map((reference) => {
    const position = { time, offset, canStart: reference.starts_with_SAP === 1 };
    time += reference.subsegment_duration / sidx.timescale;
    offset += reference.referenced_size;
    return position;
  });
  const starts = all.filter(({ canStart }) => canStart);
  return starts.length > 0 ? starts : all;
}
