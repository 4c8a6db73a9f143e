import { describe, expect, it } from "vitest";
import { en, type MessageKey } from "./en";
import { preferred, problemKey, translate } from "./index";
import { ptBR } from "./pt-BR";

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([placeholder]) => placeholder).sort();

describe("languages", () => {
  it.each(Object.keys(en) as MessageKey[])("have the same placeholders: %s", (key) => {
    const [english, portuguese] = [en[key], ptBR[key]];
    expect(typeof portuguese).toBe(typeof english);
    const last = (message: string | readonly string[]) => (typeof message === "string" ? message : (message.at(-1) ?? ""));
    expect(placeholders(last(portuguese))).toEqual(placeholders(last(english)));
  });

  it.each([
    [["pt-PT", "en"], "pt-BR"],
    [["de", "en-GB", "pt"], "en"],
    [["de"], "en"],
    [[], "en"],
  ] as const)("prefer for %s %s", (languages, language) => expect(preferred(languages)).toBe(language));

  it("have a singular and a plural, and their own number format", () => {
    expect(translate("en", "folders.videos", { count: 1 })).toBe("1 video");
    expect(translate("en", "folders.videos", { count: 12345 })).toBe("12,345 videos");
    expect(translate("pt-BR", "folders.videos", { count: 12345 })).toBe("12.345 vídeos");
  });

  it("have messages for common problems of the server", () => {
    expect(problemKey("library-away")).toBe("problem.library-away");
    expect(problemKey("media-unreadable")).toBeNull();
  });

  it("say subtitles, not captions", () => {
    expect(JSON.stringify([en, ptBR])).not.toMatch(/caption/i);
  });
});
