import { describe, expect, it } from "vitest";
import { canonical, closeness, closest, languageName, rank } from "./languages";

describe("languages", () => {
  it.each([
    ["eng en EN en", "en"],
    ["por pt PT", "pt"],
    ["pt-BR pt_BR pt-br pob pb", "pt-BR"],
    ["chi zho zh cmn", "zh"],
    ["zh-hans chs", "zh-Hans"],
    ["fre fra fr", "fr"],
    ["ger deu de", "de"],
    ["iw heb", "he"],
  ])("%s are the same language", (written, tag) => {
    expect([...new Set(written.split(" ").map(canonical))]).toEqual([tag]);
  });

  it.each([null, undefined, "", "und", "mis", "zxx", "???", "off!"])("%s is not a language", (written) => {
    expect(canonical(written)).toBeNull();
  });

  it("are similar if a reader of one can read the other", () => {
    expect(closeness("pt", "por")).toBe(4);
    expect(closeness("pt", "pt-BR")).toBe(3);
    expect(closeness("pt-PT", "pt-BR")).toBe(2);
    expect(closeness("zh-Hans", "zh-TW")).toBe(1);
    expect(closeness("sr-Latn", "sr")).toBe(1);
    expect(closeness("nn", "nb")).toBeGreaterThan(0);
    expect(closeness("en", "de")).toBe(0);
    expect(closeness("und", "und")).toBe(0);
    expect(closest([{ language: null }, { language: "pt-PT" }, { language: "pt" }], "pob")).toEqual({ language: "pt" });
    expect(closest([{ language: "de" }], null)).toBeUndefined();
  });

  it("are ranked in the order of preference, others last", () => {
    const wanted = ["en", "pt-BR"];
    const order = ["xx", "pt-PT", "por", "eng", "de"].sort((one, other) => rank(one, wanted) - rank(other, wanted));
    expect(order).toEqual(["eng", "por", "pt-PT", "xx", "de"]);
    expect(rank(null, wanted)).toBe(rank("xx", wanted));
  });

  it("have names in other languages", () => {
    expect(languageName("pt-BR", "de")).toBe("Alemão");
    expect(languageName("pt-BR", "ger")).toBe("Alemão");
    expect(languageName("en", "pob")).toBe("Brazilian Portuguese");
    expect(languageName("en", "qaa")).toBe("qaa");
    expect(languageName("en", "???")).toBe("???");
  });
});
