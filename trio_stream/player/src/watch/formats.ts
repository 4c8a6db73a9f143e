/** What a browser knows of the formats in a file, as far as it can be asked, and what people call them and files. */

type Coded = { codec: string; codec_string: string | null };

/** `canPlayType` or `MediaSource.isTypeSupported`, as yes or no. */
export type Supports = (type: string) => boolean;

// PCM has no name to ask for outside WAV (RFC 2361). These kinds Chromium plays in QuickTime and Matroska as well.
const PCM = /^pcm_(u8|(s16|s24)[lb]e|s32le|f32le|alaw|mulaw)$/;
const WAVE = 'audio/wav; codecs="1"';

/** Whether a browser plays this when it lies in a file; null where nobody can ask. */
export function plays(kind: "audio" | "video", { codec, codec_string }: Coded, supports: Supports): boolean | null {
  if (codec_string !== null) return ["mp4", "webm"].some((each) => supports(`${kind}/${each}; codecs="${codec_string}"`));
  return PCM.test(codec) && supports(WAVE) ? true : null;
}

/** Whether a browser takes segments of that kind and codec; what has no name nobody can ask for. */
export const takesSegments = (kind: string, codec: string | null, takes: Supports): boolean =>
  codec !== null && takes(`${kind}/mp4; codecs="${codec}"`);

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

/** What people call a format, whichever of its names it goes by (RFC 6381, FFmpeg's), or a kind of file. */
export const formatName = (codec: string): string =>
  NAMES[codec] ?? (codec.startsWith("mp4a.40") ? "AAC" : null) ?? (codec.startsWith("pcm_") ? "PCM" : codec.toUpperCase().replaceAll("_", " "));
