import { describe, expect, it } from "vitest";
import type { Presentation, VideoDetails } from "../api/client";
import { deliveryOf, fallbackOf, type Why } from "./delivery";

const browser = {
  plays: (type: string) => /^(video\/(mp4|webm)|audio\/(mp4|webm|wav))/.test(type) && !/ac-3|dtsc/.test(type),
  playsSegments: (type: string) => !/ac-3|dtsc|mp4v|vorbis|mp4a.6B/.test(type),
  listsAudioTracks: false,
};

/** An audio track without a `codec_string` is "pcm_s16le", or the codec after a colon: ":mp2". */
function film(videoCodec: string | null, audioCodecs: (string | null)[], content_type = "video/mp4") {
  return {
    content_type,
    state: "probed",
    reason: null,
    versions: [],
    facts: {
      container: "mp4",
      start: 0,
      until: null,
      video: [{ codec: "h264", codec_string: videoCodec }],
      audio: audioCodecs.map((codecs) => {
        const [codec_string, codec = "pcm_s16le"] = (codecs ?? "").split(":");
        return { codec: codec_string ? "aac" : codec, codec_string: codec_string || null };
      }),
    },
  } as unknown as VideoDetails;
}

function withInfo(info: object) {
  const video = film("avc1.64001f", ["mp4a.40.2"]);
  return { ...video, facts: { ...video.facts, ...info } } as VideoDetails;
}

const direct = { kind: "direct" };
const packaged = (why: Why, videoOnly = false) => ({ kind: "packaged", why, videoOnly });
const MKV = "video/x-matroska";
const TS = "video/mp2t";

describe("how a video is delivered", () => {
  it.each([
    ["one supported audio track", film("avc1.64001f", ["mp4a.40.2"]), direct],
    ["no audio", film("avc1.64001f", []), direct],
    ["two audio tracks", film("avc1.64001f", ["mp4a.40.2", "mp4a.40.2"]), packaged("tracks")],
    ["an unsupported first audio track", film("avc1.64001f", ["ac-3", "mp4a.40.2"]), packaged("audio")],
    ["one of two versions", { ...film("avc1.64001f", ["mp4a.40.2"]), versions: [{}, {}] } as VideoDetails, packaged("versions")],
    ["only unsupported audio", film("avc1.64001f", ["ac-3"]), direct],
    ["an unsupported container", film("avc1.64001f", ["mp4a.40.2"], "video/mp2t"), packaged("container")],
    ["an unsupported container with unsupported audio", film("avc1.64001f", ["ac-3"], TS), packaged("container", true)],
    ["an unsupported container with audio that has no codec string", film("avc1.64001f", [":mp2"], TS), packaged("container", true)],
    ["an unsupported container without audio", film("avc1.64001f", [], TS), packaged("container")],
    ["a first audio track without a codec string", film("avc1.64001f", [":mp2", "mp4a.40.2"], MKV), packaged("audio")],
    ["only audio without codec strings", film("avc1.64001f", [":mp2", ":adpcm_ms"], MKV), direct],
    ["a first audio track that it plays, but not in segments", film("avc1.64001f", ["vorbis", "mp4a.40.2"], MKV), direct],
    ["first PCM audio, which it plays, but not in segments", film("avc1.64001f", [null, "mp4a.40.2"], "video/quicktime"), direct],
    ["a second audio track that it plays, but not in segments", film("avc1.64001f", ["mp4a.40.2", "vorbis"], MKV), packaged("tracks")],
    ["two audio tracks that it plays, but not in segments", film("avc1.64001f", ["mp4a.6B", "mp4a.6B"], MKV), direct],
    ["versions with audio that it plays, but not in segments", { ...film("avc1.64001f", ["vorbis"], MKV), versions: [{}, {}] } as VideoDetails, direct],
    ["only an unsupported audio track", { ...film(null, ["ac-3"]), facts: { container: "mp4", video: [], audio: [{ codec: "ac3", codec_string: "ac-3" }] } } as unknown as VideoDetails, direct],
    ["unsupported video", film("mp4v.20.9", ["mp4a.40.2"], "video/x-msvideo"), direct],
    ["video without a codec string", film(null, ["mp4a.40.2"], "video/x-msvideo"), direct],
    ["timestamps that start late", withInfo({ start: 3600 }), { kind: "packaged", why: "clock", videoOnly: false }],
    ["timestamps that start almost at zero", withInfo({ start: 0.02 }), direct],
    ["an encoding that changes", withInfo({ recoded: true }), { kind: "packaged", why: "coding", videoOnly: false }],
    ["a file whose end is missing", withInfo({ until: 3.5 }), { kind: "packaged", why: "cut", videoOnly: false }],
    ["another video track first", withInfo({ video: [{ index: 1, codec_string: "avc1" }, { index: 0, codec_string: "avc1" }] }), { kind: "packaged", why: "order", videoOnly: false }],
    ["another video track after it", withInfo({ video: [{ index: 0, codec_string: "avc1" }, { index: 1, codec_string: "avc1" }] }), direct],
    ["a file that was not probed yet", { ...film("avc1.64001f", []), facts: null }, direct],
    ["a damaged file", { ...film("avc1.64001f", [], "video/mp2t"), state: "unreadable" as const }, direct],
  ])("%s", (_, video, delivery) => {
    expect(deliveryOf(video, browser)).toEqual(delivery);
  });

  it("is direct if the browser lists audio tracks", () => {
    const two = film("avc1.64001f", ["mp4a.40.2", "mp4a.40.2"]);
    expect(deliveryOf(two, { ...browser, listsAudioTracks: true })).toEqual(direct);
  });
});

type Track = ["audio" | "video", string];

/** Available and omitted tracks, in the order of the file, numbered as in MP4. */
function offer(available: Track[], omitted: Track[] = []) {
  const numbered = ([kind, codec]: Track, track: number) => ({ kind, codec, track });
  const offered = {
    renditions: available.map(numbered),
    omitted: omitted.map((each, index) => numbered(each, available.length + index)),
  };
  return offered as unknown as Presentation;
}

describe("the presentation of the server", () => {
  const audio = [1, 2].map((index) => ({ index, codec: "aac", codec_string: "mp4a.40.2" }));
  const two = withInfo({ audio });
  const [video, first]: Track[] = [
    ["video", "avc1.64001f"],
    ["audio", "mp4a.40.2"],
  ];

  it.each([
    ["both audio tracks are available", offer([video!, first!, first!]), packaged("tracks")],
    ["no audio is available", offer([video!], [first!, first!]), direct],
    ["the first audio track is available", offer([video!, first!], [first!]), packaged("tracks")],
    ["audio is available in an unknown order", offer([video!, first!]), packaged("tracks")],
  ])("%s", (_, offered, delivery) => {
    expect(deliveryOf(two, browser, offered)).toEqual(delivery);
  });

  it("must have the audio track that direct play would start with", () => {
    const offered = offer([video!, first!], [first!]);
    const other = withInfo({ audio: [...audio].reverse() }); // the default one is second in the file
    expect(deliveryOf(other, browser, offered)).toEqual(direct);
  });

  it.each([
    ["video and audio", offer([video!, first!]), packaged("refused")],
    ["video only", offer([video!]), packaged("refused")],
    ["audio only", offer([first!]), packaged("refused")],
    ["unsupported audio", offer([video!, ["audio", "ac-3"]]), packaged("refused", true)],
    ["unsupported video", offer([["video", "mp4v.20.9"], first!]), direct],
    ["nothing", offer([]), direct],
  ])("for a file that does not open: %s", (_, offered, delivery) => {
    expect(fallbackOf(offered, browser)).toEqual(delivery);
  });
});
