import { describe, expect, it } from "vitest";
import { firstSound, ordered } from "./packaged";

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
