import { describe, expect, it } from "vitest";
import type { VideoDetails } from "../api/client";
import { deliveryOf } from "./delivery";

const browser = {
  plays: (type: string) => /^(video|audio)\/(mp4|webm)/.test(type) && !/ac-3/.test(type),
  takes: (type: string) => !/ac-3|mp4v/.test(type),
  listsSounds: false,
};

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
      audio: sounds.map((codec_string) => ({ codec: "aac", codec_string })),
    },
  } as unknown as VideoDetails;
}

function about(facts: object) {
  const video = film("avc1.64001f", ["mp4a.40.2"]);
  return { ...video, facts: { ...video.facts, ...facts } } as VideoDetails;
}

const direct = { kind: "direct" };

describe("how a video comes", () => {
  it.each([
    ["one sound that it plays", film("avc1.64001f", ["mp4a.40.2"]), direct],
    ["no sound", film("avc1.64001f", []), direct],
    ["two sounds", film("avc1.64001f", ["mp4a.40.2", "mp4a.40.2"]), { kind: "packaged", why: "tracks" }],
    ["a first sound that it does not know", film("avc1.64001f", ["ac-3", "mp4a.40.2"]), { kind: "packaged", why: "sound" }],
    ["one of two sizes", { ...film("avc1.64001f", ["mp4a.40.2"]), versions: [{}, {}] } as VideoDetails, { kind: "packaged", why: "sizes" }],
    ["only sounds that it does not know", film("avc1.64001f", ["ac-3"]), direct],
    ["a container that it does not know", film("avc1.64001f", ["mp4a.40.2"], "video/mp2t"), { kind: "packaged", why: "container" }],
    ["pictures that it does not know at all", film("mp4v.20.9", ["mp4a.40.2"], "video/x-msvideo"), direct],
    ["what nobody can name", film(null, ["mp4a.40.2"], "video/x-msvideo"), direct],
    ["a clock that begins elsewhere", about({ start: 3600 }), { kind: "packaged", why: "clock" }],
    ["a clock that is as good as the file's", about({ start: 0.02 }), direct],
    ["a file whose end is missing", about({ until: 3.5 }), { kind: "packaged", why: "cut" }],
    ["other pictures first", about({ video: [{ index: 1, codec_string: "avc1" }, { index: 0, codec_string: "avc1" }] }), { kind: "packaged", why: "pictures" }],
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
