import { describe, expect, it } from "vitest";
import type { Subtitle } from "../api/client";
import { initialSubtitles, subtitleTracks } from "./subtitles";

const names = { language: "en", forced: "forced", hearing: "SDH", track: (number: number) => `Track ${number}` };

function subtitle(change: Partial<Subtitle>): Subtitle {
  return {
    language: null,
    label: "",
    codec: "subrip",
    forced: false,
    hearing_impaired: false,
    default: false,
    track: null,
    name: null,
    state: "made",
    reason: null,
    url: "/x.vtt",
    original: null,
    ...change,
  };
}

describe("subtitles", () => {
  it("come in the viewer's languages first, and otherwise in their order", () => {
    const all = ["de", "pt-BR", "fr", "en"].map((language) => subtitle({ language, url: `/${language}.vtt` }));
    expect(subtitleTracks(all, ["en-GB", "pt"], names).map((each) => each.language)).toEqual(["en", "pt-BR", "de", "fr"]);
  });

  it("leave out those that could not be converted", () => {
    expect(subtitleTracks([subtitle({ url: null })], [], names)).toEqual([]);
  });

  it("are named by their label, else their language, else their number, and have unique names", () => {
    const all = [
      subtitle({ label: "Director" }),
      subtitle({ language: "de" }),
      subtitle({ language: "de" }),
      subtitle({ language: "de", forced: true, hearing_impaired: true }),
      subtitle({}),
    ];
    expect(subtitleTracks(all, [], names).map((each) => each.label)).toEqual([
      "Director",
      "German",
      "German 2",
      "German (forced, SDH)",
      "Track 5",
    ]);
  });

  it("show the language that was chosen last, forced ones by default, and none once they were turned off", () => {
    const tracks = subtitleTracks(
      [subtitle({ language: "en", forced: true }), subtitle({ language: "de" }), subtitle({ language: "en" })],
      [],
      names,
    );
    expect(initialSubtitles(tracks, null, "en")).toBe(0);
    expect(initialSubtitles(tracks, null, "fr")).toBe(-1);
    expect(initialSubtitles(tracks, "de", "en")).toBe(1);
    expect(initialSubtitles(tracks, "en-US", "fr")).toBe(2);
    expect(initialSubtitles(tracks, "ja", "en")).toBe(0);
    expect(initialSubtitles(tracks, "off", "en")).toBe(-1);
  });

  it("are found in any spelling of the chosen language, and match any spelling of the audio language", () => {
    const tracks = subtitleTracks(
      ["por", "eng", "chi", "fre", "pt-PT", "zh-Hant"].map((language) => subtitle({ language, url: language })),
      [],
      names,
    );
    const urlFor = (last: string) => tracks[initialSubtitles(tracks, last, null)]?.url;
    expect(["en", "pob", "pt", "zh-TW", "zho", "fra", "pt_PT", "ja"].map(urlFor)).toEqual(
      ["eng", "por", "por", "zh-Hant", "chi", "fre", "pt-PT", undefined],
    );
    const forced = subtitleTracks([subtitle({ language: "en" }), subtitle({ language: "pt", forced: true })], [], names);
    for (const audio of ["por", "pt", "pt-BR", "pob", "pt-PT"]) expect(initialSubtitles(forced, null, audio)).toBe(1);
    for (const audio of ["eng", "und", null]) expect(initialSubtitles(forced, null, audio)).toBe(-1);
  });

  it("are named in the language of the page, once, with the rest of their label", () => {
    const all = [
      subtitle({ language: "en", label: "English (Forced)", forced: true }),
      subtitle({ language: "en", label: "English SDH", hearing_impaired: true }),
      subtitle({ language: "pt-BR", label: "Brazilian Portuguese (Netflix)" }),
      subtitle({ language: "de", label: "Deutsch" }),
      subtitle({ language: "eng", label: "Director" }),
      subtitle({ label: "Forced", forced: true }),
      subtitle({ language: "en", label: "Englishman in New York" }),
      subtitle({ forced: true }),
    ];
    const pages = { ...names, language: "pt-BR", forced: "forçada", hearing: "para surdos" };
    expect(subtitleTracks(all, [], pages).map((each) => each.label)).toEqual([
      "Inglês (forçada)",
      "Inglês (para surdos)",
      "Português (Brasil) – Netflix",
      "Alemão",
      "Inglês – Director",
      "Track 6 (forçada)",
      "Inglês – Englishman in New York",
      "Track 8 (forçada)",
    ]);
    expect(subtitleTracks(all.slice(0, 3), [], names).map((each) => each.label)).toEqual([
      "English (forced)",
      "English (SDH)",
      "Brazilian Portuguese – Netflix",
    ]);
  });
});
