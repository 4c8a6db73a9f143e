/** Which subtitles there are, what they are called, and which of them a person wants. */

import type { Subtitle } from "../api/client";
import { canonical, closest, rank, trackName } from "../ui/languages";

export interface Texts {
  url: string;
  label: string;
  language: string;
  forced: boolean;
}

interface Names {
  language: string;
  forced: string;
  hearing: string;
  track: (number: number) => string;
}

/** Names of which no two are alike: those that were there before are numbered. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Map<string, number>();
  return names.map((name) => {
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count > 1 ? `${name} ${count}` : name;
  });
}

/** The subtitles that can be shown, those in a person's languages first; no two of them are called the same. */
export function textsOf(subtitles: readonly Subtitle[], wanted: readonly string[], names: Names): Texts[] {
  const shown = subtitles
    .filter((each) => each.url !== null)
    .map((each, place) => ({ each, place, rank: rank(each.language, wanted) }))
    .sort((one, other) => one.rank - other.rank || one.place - other.place);
  const labels = distinct(
    shown.map(({ each, place }) => {
      const { language, label: title, forced, hearing_impaired: hearing } = each;
      return trackName({ language, title, forced, hearing }, names, names.track(place + 1));
    }),
  );
  return shown.map(({ each }, place) => ({
    url: each.url ?? "",
    label: labels[place] ?? "",
    language: canonical(each.language) ?? "",
    forced: each.forced,
  }));
}

/**
 * The subtitles that show by themselves: those chosen last time; else forced ones in the language of the sound, which
 * belong to the picture; else none.
 */
export function chosen(texts: readonly Texts[], remembered: string | null, sound: string | null): number {
  if (remembered === "off") return -1;
  const full = closest(
    texts.filter((each) => !each.forced),
    remembered,
  );
  const forced = closest(
    texts.filter((each) => each.forced),
    sound,
  );
  const found = full ?? forced;
  return found === undefined ? -1 : texts.indexOf(found);
}
