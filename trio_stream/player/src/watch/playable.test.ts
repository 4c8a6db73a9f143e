import { describe, expect, it } from "vitest";
import type { VideoDetails } from "../api/client";
import { troubleOf } from "./playable";

const chromium = (type: string) => /^(video|audio)\/(mp4|webm)/.test(type) && !/hvc1|apco|ac-3/.test(type);

function film(videoCodec: string | null, audioCodec: string | null, content_type = "video/mp4") {
  const common = { codec: "hevc", codec_string: videoCodec };
  return {
    content_type,
    state: "probed",
    reason: null,
    facts: { container: "mp4", video: [common], audio: [{ codec: "ac3", codec_string: audioCodec }] },
  } as unknown as VideoDetails;
}

describe("what a browser cannot play", () => {
  it.each([
    ["nothing", film("avc1.64001f", "mp4a.40.2"), null],
    ["codecs without a codec string", film(null, null), null],
    ["the video", film("hvc1.1.6.L93.B0", "mp4a.40.2"), { kind: "video", codec: "HEVC (hvc1.1.6.L93.B0)" }],
    ["the audio", film("avc1.64001f", "ac-3"), { kind: "audio", codec: "AC-3 (ac-3)" }],
    ["Matroska, which browsers treat as WebM", film("avc1.64001f", null, "video/x-matroska"), null],
    ["the container", film("avc1.64001f", null, "video/x-msvideo"), { kind: "container", container: "MP4" }],
  ])("%s", (_, video, trouble) => {
    expect(troubleOf(video, chromium)).toEqual(trouble);
  });

  it("is a video codec without a codec string, if no frame came", () => {
    const unnamed = film(null, "mp4a.40.2");
    expect(troubleOf(unnamed, chromium)).toBeNull();
    expect(troubleOf(unnamed, chromium, true)).toEqual({ kind: "video", codec: "HEVC" });
  });

  it("is the file, if it is damaged", () => {
    const damaged = { ...film("avc1.64001f", null), state: "unreadable" as const, reason: "no index" };
    expect(troubleOf(damaged, chromium)).toEqual({ kind: "damaged", reason: "no index" });
  });
});
