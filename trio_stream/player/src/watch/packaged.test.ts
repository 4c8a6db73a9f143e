import { describe, expect, it } from "vitest";
import { firstSound, ordered, picturesOf } from "./packaged";

const sounds = [
  { id: 0, name: "English", language: "en" },
  { id: 1, name: "Português", language: "pt" },
  { id: 2, name: "Commentary", language: null },
];

describe("the sounds of a film", () => {
  it("are listed with a person's languages first", () => {
    expect(ordered(sounds, ["pt-BR", "en"]).map(({ id }) => id)).toEqual([1, 0, 2]);
  });

  it.each([
    [null, 0],
    ["pt", 1],
    ["de", 0],
  ])("begin with that of the language chosen last: %s", (last, id) => {
    expect(firstSound(sounds, last)).toBe(id);
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
