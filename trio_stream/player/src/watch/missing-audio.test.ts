import { describe, expect, it } from "vitest";
import type { MediaInfo } from "./formats";
import { missingAudio } from "./missing-audio";

const chromium = (type: string) => !/ac-3|dtsc|alac/.test(type);

function evidence(decoded: boolean | null, played = 0, withoutAudio = false) {
  return { decoded, played, withoutAudio };
}

const film = (...tracks: [codec: string, codec_string: string | null][]) =>
  ({ video: [{}], audio: tracks.map(([codec, codec_string]) => ({ codec, codec_string })) }) as unknown as MediaInfo;

const aac: [string, string] = ["aac", "mp4a.40.2"];
const ac3: [string, string] = ["ac3", "ac-3"];
const mp2: [string, null] = ["mp2", null];

describe("a file that plays without its audio", () => {
  it.each([
    ["no audio track", film(), evidence(false, 9), null],
    ["audio that was decoded", film(aac), evidence(true), null],
    ["audio that may still be decoded", film(aac), evidence(false, 2), null],
    ["audio that the browser claims to support, and does not decode", film(aac), evidence(false, 4), ["AAC"]],
    ["an unsupported codec", film(ac3), evidence(false), ["AC-3"]],
    ["an unsupported codec, if the browser says nothing of decoding", film(ac3), evidence(null), ["AC-3"]],
    ["a codec that it claims not to support, and decodes", film(ac3), evidence(true), null],
    ["a codec without a codec string, at once", film(mp2), evidence(false, 0.5), null],
    ["a codec without a codec string, if nothing was decoded", film(mp2), evidence(false, 1.5), ["MP2"]],
    ["a codec without a codec string, if it was decoded", film(mp2), evidence(true, 1.5), null],
    ["a codec without a codec string, if the browser says nothing of decoding", film(mp2), evidence(null, 9), null],
    ["supported PCM", film(["pcm_s16le", null]), evidence(false, 2), null],
    ["unsupported PCM", film(["pcm_s8", null]), evidence(false, 2), ["PCM"]],
    ["several codecs", film(ac3, ["dts", "dtsc"], ac3), evidence(false), ["AC-3", "DTS"]],
  ])("%s", (_, info, seen, formats) => {
    expect(missingAudio(info, "direct", seen, chromium)).toEqual(formats && { by: "browser", formats });
  });

  it("is not one that was not probed", () => {
    expect(missingAudio(null, "direct", evidence(false, 9), chromium)).toBeNull();
  });
});

describe("segments without audio", () => {
  it.each([
    ["if they have audio", film(aac), evidence(false, 9, false), null],
    ["if the file has none", film(), evidence(false, 9, true), null],
    ["if the browser does not support the codec", film(ac3), evidence(false, 0, true), { by: "browser", formats: ["AC-3"] }],
    ["if the browser would support it", film(["aac_latm", "mp4a.40.2"]), evidence(false, 0, true), { by: "segments", formats: ["AAC (LATM)"] }],
  ])("%s", (_, info, seen, missing) => {
    expect(missingAudio(info, "packaged", seen, chromium)).toEqual(missing);
  });
});
