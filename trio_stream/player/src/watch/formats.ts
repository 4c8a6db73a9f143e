/** Which formats a browser supports, as far as it can be queried, and the usual names of codecs and containers. */

import type { VideoDetails } from "../api/client";

export type MediaInfo = NonNullable<VideoDetails["facts"]>;

type Coded = { codec: string; codec_string: string | null };

/** `canPlayType` or `MediaSource.isTypeSupported`, as a boolean. */
export type Supports = (type: string) => boolean;

// PCM has a codec string only in WAV (RFC 2361). Chromium plays these kinds in QuickTime and Matroska too.
const PCM = /^pcm_(u8|(s16|s24)[lb]e|s32le|f32le|alaw|mulaw)$/;
const WAVE = 'audio/wav; codecs="1"';

/** Whether a browser plays this track of a file; null if it has no codec string to query. */
export function plays(kind: "audio" | "video", { codec, codec_string }: Coded, supports: Supports): boolean | null {
  if (codec_string !== null) return ["mp4", "webm"].some((each) => supports(`${kind}/${each}; codecs="${codec_string}"`));
  return PCM.test(codec) && supports(WAVE) ? true : null;
}

/** Whether a browser plays segments with this codec; false if there is no codec string to query. */
export const supportsSegments = (kind: string, codec: string | null, supports: Supports): boolean =>
  codec !== null && supports(`${kind}/mp4; codecs="${codec}"`);

const NAMES: Record<string, string> = {
  ac3: "AC-3",
  eac3: "E-AC-3",
  "ec-3": "E-AC-3",
  ac4: "AC-4",
  truehd: "Dolby TrueHD",
  alac: "Apple Lossless",
  h264: "H.264",
  aac_latm: "AAC (LATM)",
  mpeg2video: "MPEG-2",
  mpeg1video: "MPEG-1",
  mpeg4: "MPEG-4 Part 2",
  prores: "ProRes",
  wavpack: "WavPack",
  asf: "Windows Media",
  matroska: "Matroska",
  mov: "QuickTime",
  mpeg: "MPEG-PS",
  mpegts: "MPEG-TS",
  ogg: "Ogg",
  webm: "WebM",
};

/** The usual name of a codec or container, from its RFC 6381 or FFmpeg name. */
export const formatName = (codec: string): string =>
  NAMES[codec] ?? (codec.startsWith("mp4a.40") ? "AAC" : null) ?? (codec.startsWith("pcm_") ? "PCM" : codec.toUpperCase().replaceAll("_", " "));
