import { describe, expect, it } from "vitest";
import type { Presentation, VideoDetails } from "../api/client";
import { deliveryOf, insteadOf, type Why } from "./delivery";

const browser = {
  plays: (type: string) => /^(video\/(mp4|webm)|audio\/(mp4|webm|wav))/.test(type) && !/ac-3|dtsc/.test(type),
  takes: (type: string) => !/ac-3|dtsc|mp4v|vorbis|mp4a.6B/.test(type),
  listsSounds: false,
};

/** A sound without a `codec_string` is "pcm_s16le", or what stands behind a colon: ":mp2". */
function film(picture: string | null, sounds: (string | null)[], content_type = "video/mp4") {
  return {
    content_type,
    state: "probed",
    reason: null,
    versions: [],
    facts: {
      container: "mp4",
      start: 0,
      until: null,
      video: [{ codec: "h264", codec_string: picture }],
      audio: sounds.map((said) => {
        const [codec_string, codec = "pcm_s16le"] = (said ?? "").split(":");
        return { codec: codec_string ? "aac" : codec, codec_string: codec_string || null };
      }),
    },
  } as unknown as VideoDetails;
}

function about(facts: object) {
  const video = film("avc1.64001f", ["mp4a.40.2"]);
  return { ...video, facts: { ...video.facts, ...facts } } as VideoDetails;
}

const direct = { kind: "direct" };
const packaged = (why: Why, pictures = false) => ({ kind: "packaged", why, pictures });
const MKV = "video/x-matroska";
const TS = "video/mp2t";

describe("how a video comes", () => {
  it.each([
    ["one sound that it plays", film("avc1.64001f", ["mp4a.40.2"]), direct],
    ["no sound", film("avc1.64001f", []), direct],
    ["two sounds", film("avc1.64001f", ["mp4a.40.2", "mp4a.40.2"]), packaged("tracks")],
    ["a first sound that it does not know", film("avc1.64001f", ["ac-3", "mp4a.40.2"]), packaged("sound")],
    ["one of two sizes", { ...film("avc1.64001f", ["mp4a.40.2"]), versions: [{}, {}] } as VideoDetails, packaged("sizes")],
    ["only sounds that it does not know", film("avc1.64001f", ["ac-3"]), direct],
    ["a container that it does not know", film("avc1.64001f", ["mp4a.40.2"], "video/mp2t"), packaged("container")],
    ["a container that it does not know, with no sound that it knows", film("avc1.64001f", ["ac-3"], TS), packaged("container", true)],
    ["a container that it does not know, with a sound nobody can name", film("avc1.64001f", [":mp2"], TS), packaged("container", true)],
    ["a container that it does not know, without sound", film("avc1.64001f", [], TS), packaged("container")],
    ["a first sound that nobody can name", film("avc1.64001f", [":mp2", "mp4a.40.2"], MKV), packaged("sound")],
    ["only sounds that nobody can name", film("avc1.64001f", [":mp2", ":adpcm_ms"], MKV), direct],
    ["a first sound that it plays, but not in segments", film("avc1.64001f", ["vorbis", "mp4a.40.2"], MKV), direct],
    ["first PCM, which it plays, but not in segments", film("avc1.64001f", [null, "mp4a.40.2"], "video/quicktime"), direct],
    ["a second sound that it plays, but not in segments", film("avc1.64001f", ["mp4a.40.2", "vorbis"], MKV), packaged("tracks")],
    ["two sounds that it plays, but not in segments", film("avc1.64001f", ["mp4a.6B", "mp4a.6B"], MKV), direct],
    ["sizes of a sound that it plays, but not in segments", { ...film("avc1.64001f", ["vorbis"], MKV), versions: [{}, {}] } as VideoDetails, direct],
    ["sound alone that it does not know", { ...film(null, ["ac-3"]), facts: { container: "mp4", video: [], audio: [{ codec: "ac3", codec_string: "ac-3" }] } } as unknown as VideoDetails, direct],
    ["pictures that it does not know at all", film("mp4v.20.9", ["mp4a.40.2"], "video/x-msvideo"), direct],
    ["what nobody can name", film(null, ["mp4a.40.2"], "video/x-msvideo"), direct],
    ["a clock that begins elsewhere", about({ start: 3600 }), { kind: "packaged", why: "clock", pictures: false }],
    ["a clock that is as good as the file's", about({ start: 0.02 }), direct],
    ["a coding that changes", about({ recoded: true }), { kind: "packaged", why: "coding", pictures: false }],
    ["a file whose end is missing", about({ until: 3.5 }), { kind: "packaged", why: "cut", pictures: false }],
    ["other pictures first", about({ video: [{ index: 1, codec_string: "avc1" }, { index: 0, codec_string: "avc1" }] }), { kind: "packaged", why: "pictures", pictures: false }],
    ["further pictures behind", about({ video: [{ index: 0, codec_string: "avc1" }, { index: 1, codec_string: "avc1" }] }), direct],
    ["what was not looked at yet", { ...film("avc1.64001f", []), facts: null }, direct],
    ["what is damaged", { ...film("avc1.64001f", [], "video/mp2t"), state: "unreadable" as const }, direct],
  ])("%s", (_, video, delivery) => {
    expect(deliveryOf(video, browser)).toEqual(delivery);
  });

  it("is the file itself where the browser lists its sounds", () => {
    const two = film("avc1.64001f", ["mp4a.40.2", "mp4a.40.2"]);
    expect(deliveryOf(two, { ...browser, listsSounds: true })).toEqual(direct);
  });
});

type Track = ["audio" | "video", string];

/** What is offered, and what is not: the tracks in the order of the file, numbered as in MP4. */
function offer(sent: Track[], left: Track[] = []) {
  const numbered = ([kind, codec]: Track, track: number) => ({ kind, codec, track });
  const found = { renditions: sent.map(numbered), omitted: left.map((each, place) => numbered(each, sent.length + place)) };
  return found as unknown as Presentation;
}

describe("what the server says of the segments", () => {
  const sounds = [1, 2].map((index) => ({ index, codec: "aac", codec_string: "mp4a.40.2" }));
  const two = about({ audio: sounds });
  const [picture, sound]: Track[] = [
    ["video", "avc1.64001f"],
    ["audio", "mp4a.40.2"],
  ];

  it.each([
    ["both sounds are there", offer([picture!, sound!, sound!]), packaged("tracks")],
    ["no sound is there", offer([picture!], [sound!, sound!]), direct],
    ["the first sound is there", offer([picture!, sound!], [sound!]), packaged("tracks")],
    ["sounds are there, of which nobody knows the order", offer([picture!, sound!]), packaged("tracks")],
  ])("%s", (_, offered, delivery) => {
    expect(deliveryOf(two, browser, offered)).toEqual(delivery);
  });

  it("is asked for the sound that the file itself begins with", () => {
    const offered = offer([picture!, sound!], [sound!]);
    const other = about({ audio: [...sounds].reverse() }); // the default one lies second
    expect(deliveryOf(other, browser, offered)).toEqual(direct);
  });

  it.each([
    ["pictures and sound", offer([picture!, sound!]), packaged("refused")],
    ["pictures alone", offer([picture!]), packaged("refused")],
    ["sound alone", offer([sound!]), packaged("refused")],
    ["a sound it does not take", offer([picture!, ["audio", "ac-3"]]), packaged("refused", true)],
    ["pictures it does not take", offer([["video", "mp4v.20.9"], sound!]), direct],
    ["nothing", offer([]), direct],
  ])("instead of a file that does not open: %s", (_, offered, delivery) => {
    expect(insteadOf(offered, browser)).toEqual(delivery);
  });
});
