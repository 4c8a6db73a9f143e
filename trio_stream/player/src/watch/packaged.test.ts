import { describe, expect, it } from "vitest";
import { audioTrackNames, firstVideoPlaylist, initialAudioTrack, ordered, problemIn } from "./packaged";

const tracks = [
  { id: 0, title: null, language: "en" },
  { id: 1, title: null, language: "pt" },
  { id: 2, title: "Commentary", language: null },
];

describe("the audio tracks of a video", () => {
  it("are listed with the viewer's languages first", () => {
    expect(ordered(tracks, ["pt-BR", "en"]).map(({ id }) => id)).toEqual([1, 0, 2]);
  });

  it.each([
    [null, 0],
    ["pt", 1],
    ["por", 1],
    ["pt_BR", 1],
    ["eng", 0],
    ["de", 0],
  ])("start with the language chosen last: %s", (last, id) => {
    expect(initialAudioTrack(tracks, last)).toBe(id);
  });

  it("in the same language are told apart by region and script", () => {
    const withTags = (...tags: string[]) => tags.map((language, id) => ({ id, title: null, language }));
    expect(initialAudioTrack(withTags("pt-PT", "pt-BR"), "pt-BR")).toBe(1);
    expect(initialAudioTrack(withTags("pt-PT", "pt-BR"), "pt")).toBe(1);
    expect(initialAudioTrack(withTags("en", "zh-Hans", "zh-Hant"), "zh-TW")).toBe(2);
    expect(initialAudioTrack(withTags("en", "es-419", "es-ES"), "spa")).toBe(2);
    expect(initialAudioTrack(withTags("en", "nb"), "no")).toBe(1);
    expect(initialAudioTrack(withTags("en", "yue"), "zh")).toBe(0);
  });

  it("are named in the language of the page, followed by their title", () => {
    const all = [
      { id: 0, title: "English", language: "en" },
      { id: 1, title: "Director's commentary", language: "en" },
      { id: 2, title: "Português (Brasil) 5.1", language: "pt-BR" },
      { id: 3, title: null, language: "pt-BR" },
      { id: 4, title: null, language: "pt-BR" },
      { id: 5, title: null, language: null },
      { id: 6, title: "Music only", language: null },
    ];
    const names = (language: string, track: string) =>
      audioTrackNames(all, { language, forced: "", hearing: "", track: (number) => `${track} ${number}` });
    expect(names("pt-BR", "Faixa")).toEqual([
      "Inglês",
      "Inglês – Director's commentary",
      "Português (Brasil) – 5.1",
      "Português (Brasil)",
      "Português (Brasil) 2",
      "Faixa 6",
      "Music only",
    ]);
    expect(names("en", "Track").slice(0, 3)).toEqual([
      "English",
      "English – Director's commentary",
      "Brazilian Portuguese – 5.1",
    ]);
  });

  it("may be none", () => {
    expect(initialAudioTrack([], "en")).toBe(-1);
  });
});

describe("the first video playlist of a master playlist", () => {
  const STREAM = '#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.64001f,ac-3",AUDIO="audio0"';
  it.each([
    ["the first one", ["#EXTM3U", '#EXT-X-MEDIA:TYPE=AUDIO,URI="a1.m3u8"', STREAM, "v0.m3u8", STREAM, "v1.m3u8"], "v0.m3u8"],
    ["elsewhere", ["#EXTM3U", STREAM, "../0123/v0.m3u8"], "../0123/v0.m3u8"],
    ["after a comment", ["#EXTM3U", STREAM, "# a comment", "v0.m3u8"], "v0.m3u8"],
    ["none", ["#EXTM3U", '#EXT-X-I-FRAME-STREAM-INF:URI="v0-keys.m3u8"'], null],
  ])("is %s", (_, lines, url) => {
    expect(firstVideoPlaylist(`${lines.join("\n")}\n`)).toBe(url);
    expect(firstVideoPlaylist(`${lines.join("\r\n")}\r\n`)).toBe(url);
  });
});

describe("the problem document of a refused segment", () => {
  const bodyOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;

  it("has a code and a sentence", () => {
    const body = bodyOf('{"status": 422, "code": "segment-too-large", "detail": "it is too large"}');
    expect(problemIn(body)).toEqual({ code: "segment-too-large", detail: "it is too large" });
  });

  it.each([
    ["nothing", null],
    ["no bytes", "text"],
    ["no JSON", bodyOf("<html>")],
    ["no object", bodyOf("null")],
    ["a list", bodyOf("[1]")],
    ["no strings", bodyOf('{"code": 1, "detail": {}}')],
  ])("may be %s", (_, body) => {
    expect(problemIn(body)).toEqual({ code: "", detail: "" });
  });
});
