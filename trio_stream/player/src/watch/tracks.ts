/** Which subtitles there are, what they are called, and which of them a person wants. */

import type { Subtitle } from "../api/client";
import { languageName } from "../ui/format";

export interface Texts {
  url: string;
  label: string;
  language: string;
  forced: boolean;
}

const primary = (tag: string | null) => (tag ?? "").toLowerCase().split("-")[0] ?? "";

/** Places of languages: those a person reads come first, in the order of their liking. */
export function rank(language: string | null, wanted: readonly string[]): number {
  const place = wanted.findIndex((each) => primary(each) === primary(language));
  return language === null || place < 0 ? wanted.length : place;
}

interface Names {
  language: string;
  forced: string;
  hearing: string;
  track: (number: number) => string;
}

/** The subtitles that can be shown, those in a person's languages first; no two of them are called the same. */
export function textsOf(subtitles: readonly Subtitle[], wanted: readonly string[], names: Names): Texts[] {
  const taken = new Map<string, number>();
  return subtitles
    .filter((each) => each.url !== null)
    .map((each, place) => ({ each, place }))
    .sort((one, other) => rank(one.each.language, wanted) - rank(other.each.language, wanted) || one.place - other.place)
    .map(({ each, place }) => {
      const base = each.label || (each.language ? languageName(names.language, each.language) : names.track(place + 1));
      const remarks = [each.forced && names.forced, each.hearing_impaired && names.hearing].filter(Boolean);
      const label = remarks.length ? `${base} (${remarks.join(", ")})` : base;
      const count = (taken.get(label) ?? 0) + 1;
      taken.set(label, count);
      return {
        url: each.url ?? "",
        label: count > 1 ? `${label} ${count}` : label,
        language: each.language ?? "",
        forced: each.forced,
      };
    });
}

/**
 * The subtitles that show by themselves: those chosen last time; else forced ones in the language of the sound, which
 * belong to the picture; else none.
 */
export function chosen(texts: readonly Texts[], remembered: string | null, sound: string | null): number {
  if (remembered === "off") return -1;
  if (remembered !== null) {
    const full = texts.findIndex((each) => !each.forced && primary(each.language) === primary(remembered));
    if (full >= 0) return full;
  }
  return texts.findIndex((each) => each.forced && primary(each.language) === primary(sound));
}
