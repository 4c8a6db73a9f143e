import { describe, expect, it } from "vitest";
import type { Omitted, Presentation, VideoDetails } from "../api/client";
import type { MediaInfo } from "./formats";
import { mayOmitTracks, omittedTracks } from "./omitted-tracks";

const browser = {
  plays: (type: string) => !/ac-3/.test(type),
  playsSegments: (type: string) => !/ac-3|vorbis/.test(type),
  listsAudioTracks: false,
};

const info = (video: string[], audio: (string | null)[]) =>
  ({
    video: video.map((codec_string) => ({ codec: "h264", codec_string })),
    audio: audio.map((codec_string) => ({ codec: "mp2", codec_string })),
  }) as unknown as MediaInfo;

const omitted = (kind: "video" | "audio", track: number, codec: string, code: Omitted["code"] = "other"): Omitted => ({
  kind,
  track,
  codec,
  language: null,
  label: null,
  reason: `not ${codec}`,
  code,
});

const offered = (kind: "video" | "audio", track: number, codec: string) => ({
  kind,
  name: `${kind[0]}${track}`,
  track,
  codec,
  language: null,
  label: null,
  default: false,
});

const presentation = (renditions: Presentation["renditions"], omitted: Omitted[]): Presentation => ({
  duration: 1,
  reason: null,
  code: null,
  renditions,
  omitted,
});

const listed = (tracks: ReturnType<typeof omittedTracks>) => tracks.map(({ codec, code, reason }) => [codec, code, reason]);

describe("omitted tracks", () => {
  const both = presentation(
    [offered("video", 0, "avc1.64001f"), offered("audio", 2, "mp4a.40.2"), offered("audio", 3, "ac-3")],
    [omitted("audio", 1, "vorbis", "codec"), omitted("video", 4, "h264")],
  );
  const all = info(["avc1.64001f", "avc1.64001f"], ["vorbis", "mp4a.40.2", "ac-3"]);

  it("in segments are those the server omits and those the browser does not support", () => {
    expect(listed(omittedTracks(both, all, "packaged", browser))).toEqual([
      ["vorbis", "codec", "not vorbis"],
      ["h264", "other", "not h264"],
      ["ac-3", "browser", ""],
    ]);
  });

  it("in direct play are not those the browser plays", () => {
    expect(listed(omittedTracks(both, all, "direct", browser))).toEqual([["h264", "other", "not h264"]]);
  });

  it("in direct play are those the browser does not play", () => {
    const silent = presentation([offered("video", 1, "avc1.64001f")], [omitted("audio", 2, "mp2", "codec")]);
    expect(listed(omittedTracks(silent, info(["avc1.64001f"], [null]), "direct", browser))).toEqual([
      ["mp2", "codec", "not mp2"],
    ]);
  });
});

describe("whether tracks may be omitted", () => {
  const details = (...all: Parameters<typeof info>) => ({ facts: info(...all) }) as Pick<VideoDetails, "facts">;
  const direct = { kind: "direct" } as const;
  it.each([
    ["one of each", details(["avc1.64001f"], ["mp4a.40.2"]), direct, false],
    ["no audio", details(["avc1.64001f"], []), direct, false],
    ["two audio tracks", details(["avc1.64001f"], ["mp4a.40.2", "mp4a.40.2"]), direct, true],
    ["two video tracks", details(["avc1.64001f", "avc1.64001f"], ["mp4a.40.2"]), direct, true],
    ["audio without a codec string", details(["avc1.64001f"], [null]), direct, true],
    ["segments", details(["avc1.64001f"], ["mp4a.40.2"]), { kind: "packaged", why: "container", videoOnly: false } as const, true],
    ["a file that was not probed", { facts: null }, direct, false],
  ])("%s", (_, video, delivery, may) => {
    expect(mayOmitTracks(video, delivery, browser)).toBe(may);
  });
});
