import { describe, expect, it } from "vitest";
import type { Subtitle } from "../api/client";
import { chosen, textsOf } from "./tracks";

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
  it("come in a person's languages first, and otherwise as they are", () => {
    const all = ["de", "pt-BR", "fr", "en"].map((language) => subtitle({ language, url: `/${language}.vtt` }));
    expect(textsOf(all, ["en-GB", "pt"], names).map((each) => each.language)).toEqual(["en", "pt-BR", "de", "fr"]);
  });

  it("leave out what could not be made", () => {
    expect(textsOf([subtitle({ url: null })], [], names)).toEqual([]);
  });

  it("are called by their label, else by their language, else by their number, and never two alike", () => {
    const all = [
      subtitle({ label: "Director" }),
      subtitle({ language: "de" }),
      subtitle({ language: "de" }),
      subtitle({ language: "de", forced: true, hearing_impaired: true }),
      subtitle({}),
    ];
    expect(textsOf(all, [], names).map((each) => each.label)).toEqual([
      "Director",
      "German",
      "German 2",
      "German (forced, SDH)",
      "Track 5",
    ]);
  });

  it("show the language that was chosen last, forced ones by themselves, and none once they were switched off", () => {
    const texts = textsOf(
      [subtitle({ language: "en", forced: true }), subtitle({ language: "de" }), subtitle({ language: "en" })],
      [],
      names,
    );
    expect(chosen(texts, null, "en")).toBe(0);
    expect(chosen(texts, null, "fr")).toBe(-1);
    expect(chosen(texts, "de", "en")).toBe(1);
    expect(chosen(texts, "en-US", "fr")).toBe(2);
    expect(chosen(texts, "ja", "en")).toBe(0);
    expect(chosen(texts, "off", "en")).toBe(-1);
  });

  it("are found however the language was written when it was chosen, and show with the sound however that is", () => {
    const texts = textsOf(
      ["por", "eng", "chi", "fre", "pt-PT", "zh-Hant"].map((language) => subtitle({ language, url: language })),
      [],
      names,
    );
    const found = (last: string) => texts[chosen(texts, last, null)]?.url;
    expect(["en", "pob", "pt", "zh-TW", "zho", "fra", "pt_PT", "ja"].map(found)).toEqual(
      ["eng", "por", "por", "zh-Hant", "chi", "fre", "pt-PT", undefined],
    );
    const forced = textsOf([subtitle({ language: "en" }), subtitle({ language: "pt", forced: true })], [], names);
    for (const sound of ["por", "pt", "pt-BR", "pob", "pt-PT"]) expect(chosen(forced, null, sound)).toBe(1);
    for (const sound of ["eng", "und", null]) expect(chosen(forced, null, sound)).toBe(-1);
  });

  it("are named in the language of the page, once, with what else the file says", () => {
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
    expect(textsOf(all, [], pages).map((each) => each.label)).toEqual([
      "inglês (forçada)",
      "inglês (para surdos)",
      "português (Brasil) – Netflix",
      "alemão",
      "inglês – Director",
      "Track 6 (forçada)",
      "inglês – Englishman in New York",
      "Track 8 (forçada)",
    ]);
    expect(textsOf(all.slice(0, 3), [], names).map((each) => each.label)).toEqual([
      "English (forced)",
      "English (SDH)",
      "Brazilian Portuguese – Netflix",
    ]);
  });
});
