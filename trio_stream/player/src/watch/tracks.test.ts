import { describe, expect, it } from "vitest";
import type { Subtitle } from "../api/client";
import { chosen, rank, textsOf } from "./tracks";

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

  it("rank what nobody reads last", () => {
    expect([rank("pt", ["en", "pt-BR"]), rank(null, ["en"]), rank("xx", ["en"])]).toEqual([1, 1, 1]);
  });
});
