import { describe, expect, it } from "vitest";
import { firstSound, ordered, picturesOf, problemIn, soundNames } from "./packaged";

const sounds = [
  { id: 0, title: null, language: "en" },
  { id: 1, title: null, language: "pt" },
  { id: 2, title: "Commentary", language: null },
];

describe("the sounds of a film", () => {
  it("are listed with a person's languages first", () => {
    expect(ordered(sounds, ["pt-BR", "en"]).map(({ id }) => id)).toEqual([1, 0, 2]);
  });

  it.each([
    [null, 0],
    ["pt", 1],
    ["por", 1],
    ["pt_BR", 1],
    ["eng", 0],
    ["de", 0],
  ])("begin with that of the language chosen last: %s", (last, id) => {
    expect(firstSound(sounds, last)).toBe(id);
  });

  it("of two in one language is the one of the region or script that was chosen", () => {
    const of = (...tags: string[]) => tags.map((language, id) => ({ id, title: null, language }));
    expect(firstSound(of("pt-PT", "pt-BR"), "pt-BR")).toBe(1);
    expect(firstSound(of("pt-PT", "pt-BR"), "pt")).toBe(1);
    expect(firstSound(of("en", "zh-Hans", "zh-Hant"), "zh-TW")).toBe(2);
    expect(firstSound(of("en", "es-419", "es-ES"), "spa")).toBe(2);
    expect(firstSound(of("en", "nb"), "no")).toBe(1);
    expect(firstSound(of("en", "yue"), "zh")).toBe(0);
  });

  it("are named in the language of the page, with their title beside it", () => {
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
      soundNames(all, { language, forced: "", hearing: "", track: (number) => `${track} ${number}` });
    expect(names("pt-BR", "Faixa")).toEqual([
      "inglês",
      "inglês – Director's commentary",
      "português (Brasil) – 5.1",
      "português (Brasil)",
      "português (Brasil) 2",
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
    expect(firstSound([], "en")).toBe(-1);
  });
});

describe("the pictures of a master playlist", () => {
  const STREAM = '#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.64001f,ac-3",AUDIO="audio0"';
  it.each([
    ["the first", ["#EXTM3U", '#EXT-X-MEDIA:TYPE=AUDIO,URI="a1.m3u8"', STREAM, "v0.m3u8", STREAM, "v1.m3u8"], "v0.m3u8"],
    ["elsewhere", ["#EXTM3U", STREAM, "../0123/v0.m3u8"], "../0123/v0.m3u8"],
    ["behind a remark", ["#EXTM3U", STREAM, "# a remark", "v0.m3u8"], "v0.m3u8"],
    ["none", ["#EXTM3U", '#EXT-X-I-FRAME-STREAM-INF:URI="v0-keys.m3u8"'], null],
  ])("are %s", (_, lines, address) => {
    expect(picturesOf(`${lines.join("\n")}\n`)).toBe(address);
    expect(picturesOf(`${lines.join("\r\n")}\r\n`)).toBe(address);
  });
});

describe("what the server says of a segment that it does not send", () => {
  const sent = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;

  it("is a code and a sentence", () => {
    const body = sent('{"status": 422, "code": "segment-too-large", "detail": "it is too large"}');
    expect(problemIn(body)).toEqual({ code: "segment-too-large", detail: "it is too large" });
  });

  it.each([
    ["nothing", null],
    ["no bytes", "text"],
    ["no JSON", sent("<html>")],
    ["no object", sent("null")],
    ["a list", sent("[1]")],
    ["no texts", sent('{"code": 1, "detail": {}}')],
  ])("may be %s", (_, body) => {
    expect(problemIn(body)).toEqual({ code: "", detail: "" });
  });
});
