import { describe, expect, it } from "vitest";
import type { MediaInfo } from "../api/client";
import { silenceOf } from "./silence";

const chromium = (type: string) => !/ac-3|dtsc|alac/.test(type);

function heard(decoded: boolean | null, played = 0, without = false) {
  return { decoded, played, without };
}

const film = (...sounds: [codec: string, codec_string: string | null][]) =>
  ({ video: [{}], audio: sounds.map(([codec, codec_string]) => ({ codec, codec_string })) }) as unknown as MediaInfo;

const aac: [string, string] = ["aac", "mp4a.40.2"];
const ac3: [string, string] = ["ac3", "ac-3"];
const mp2: [string, null] = ["mp2", null];

describe("a file that plays without its sound", () => {
  it.each([
    ["no sound at all", film(), heard(false, 9), null],
    ["a sound that is heard", film(aac), heard(true), null],
    ["a sound that will be", film(aac), heard(false, 2), null],
    ["a sound that the browser says it knows, and decodes none of", film(aac), heard(false, 4), ["AAC"]],
    ["a sound that it does not know", film(ac3), heard(false), ["AC-3"]],
    ["a sound that it does not know, where it tells nothing more", film(ac3), heard(null), ["AC-3"]],
    ["a sound that it says it does not know, and decodes", film(ac3), heard(true), null],
    ["a sound that nobody can name, at once", film(mp2), heard(false, 0.5), null],
    ["a sound that nobody can name, when nothing came of it", film(mp2), heard(false, 1.5), ["MP2"]],
    ["a sound that nobody can name, and is heard", film(mp2), heard(true, 1.5), null],
    ["a sound that nobody can name, where it tells nothing more", film(mp2), heard(null, 9), null],
    ["PCM that it plays", film(["pcm_s16le", null]), heard(false, 2), null],
    ["PCM of a kind that it does not", film(["pcm_s8", null]), heard(false, 2), ["PCM"]],
    ["several", film(ac3, ["dts", "dtsc"], ac3), heard(false), ["AC-3", "DTS"]],
  ])("%s", (_, facts, evidence, formats) => {
    expect(silenceOf(facts, "direct", evidence, chromium)).toEqual(formats && { by: "browser", formats });
  });

  it("is none that nobody looked into", () => {
    expect(silenceOf(null, "direct", heard(false, 9), chromium)).toBeNull();
  });
});

describe("segments without sound", () => {
  it.each([
    ["where there is some", film(aac), heard(false, 9, false), null],
    ["where the file has none", film(), heard(false, 9, true), null],
    ["of what the browser does not know", film(ac3), heard(false, 0, true), { by: "browser", formats: ["AC-3"] }],
    ["of what it would know", film(["aac_latm", "mp4a.40.2"]), heard(false, 0, true), { by: "segments", formats: ["AAC (LATM)"] }],
  ])("%s", (_, facts, evidence, silence) => {
    expect(silenceOf(facts, "packaged", evidence, chromium)).toEqual(silence);
  });
});
