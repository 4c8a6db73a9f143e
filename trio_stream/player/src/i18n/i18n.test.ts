import { describe, expect, it } from "vitest";
import { en, type Word } from "./en";
import { preferred, say } from "./index";
import { ptBR } from "./pt-BR";

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([found]) => found).sort();

describe("languages", () => {
  it.each(Object.keys(en) as Word[])("fill in the same: %s", (word) => {
    const [english, portuguese] = [en[word], ptBR[word]];
    expect(typeof portuguese).toBe(typeof english);
    const last = (said: string | readonly string[]) => (typeof said === "string" ? said : (said.at(-1) ?? ""));
    expect(placeholders(last(portuguese))).toEqual(placeholders(last(english)));
  });

  it.each([
    [["pt-PT", "en"], "pt-BR"],
    [["de", "en-GB", "pt"], "en"],
    [["de"], "en"],
    [[], "en"],
  ] as const)("of %s choose %s", (languages, chosen) => expect(preferred(languages)).toBe(chosen));

  it("know one from more, and write numbers their way", () => {
    expect(say("en", "folders.videos", { count: 1 })).toBe("1 video");
    expect(say("en", "folders.videos", { count: 12345 })).toBe("12,345 videos");
    expect(say("pt-BR", "folders.videos", { count: 12345 })).toBe("12.345 vídeos");
  });
});
