import { describe, expect, it } from "vitest";
import type { MediaInfo, Omitted, Presentation, VideoDetails } from "../api/client";
import { leftOut, mayLeaveOut } from "./left-out";

const browser = {
  plays: (type: string) => !/ac-3/.test(type),
  takes: (type: string) => !/ac-3|vorbis/.test(type),
  listsSounds: false,
};

const facts = (pictures: string[], sounds: (string | null)[]) =>
  ({
    video: pictures.map((codec_string) => ({ codec: "h264", codec_string })),
    audio: sounds.map((codec_string) => ({ codec: "mp2", codec_string })),
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

const presentation = (renditions: Presentation["renditions"], left: Omitted[]): Presentation => ({
  duration: 1,
  reason: null,
  code: null,
  renditions,
  omitted: left,
});

const listed = (tracks: ReturnType<typeof leftOut>) => tracks.map(({ codec, code, reason }) => [codec, code, reason]);

describe("what is left out", () => {
  const both = presentation(
    [offered("video", 0, "avc1.64001f"), offered("audio", 2, "mp4a.40.2"), offered("audio", 3, "ac-3")],
    [omitted("audio", 1, "vorbis", "codec"), omitted("video", 4, "h264")],
  );
  const known = facts(["avc1.64001f", "avc1.64001f"], ["vorbis", "mp4a.40.2", "ac-3"]);

  it("of segments is what the server does not send, and what the browser does not take", () => {
    expect(listed(leftOut(both, known, "packaged", browser))).toEqual([
      ["vorbis", "codec", "not vorbis"],
      ["h264", "other", "not h264"],
      ["ac-3", "browser", ""],
    ]);
  });

  it("of the file is not what the browser plays of it", () => {
    expect(listed(leftOut(both, known, "direct", browser))).toEqual([["h264", "other", "not h264"]]);
  });

  it("of the file is what the browser does not play of it", () => {
    const silent = presentation([offered("video", 1, "avc1.64001f")], [omitted("audio", 2, "mp2", "codec")]);
    expect(listed(leftOut(silent, facts(["avc1.64001f"], [null]), "direct", browser))).toEqual([
      ["mp2", "codec", "not mp2"],
    ]);
  });
});

describe("whether anything may be left out", () => {
  const details = (...all: Parameters<typeof facts>) => ({ facts: facts(...all) }) as Pick<VideoDetails, "facts">;
  const direct = { kind: "direct" } as const;
  it.each([
    ["one of each", details(["avc1.64001f"], ["mp4a.40.2"]), direct, false],
    ["no sound", details(["avc1.64001f"], []), direct, false],
    ["two sounds", details(["avc1.64001f"], ["mp4a.40.2", "mp4a.40.2"]), direct, true],
    ["two pictures", details(["avc1.64001f", "avc1.64001f"], ["mp4a.40.2"]), direct, true],
    ["a sound nobody can name", details(["avc1.64001f"], [null]), direct, true],
    ["segments", details(["avc1.64001f"], ["mp4a.40.2"]), { kind: "packaged", why: "container", pictures: false } as const, true],
    ["what nobody looked into", { facts: null }, direct, false],
  ])("%s", (_, video, delivery, may) => {
    expect(mayLeaveOut(video, delivery, browser)).toBe(may);
  });
});
