/** Normalises, compares and names languages. Tags are BCP 47; anything else counts as no language. */

const UNDEFINED_TAGS = new Set(["", "und", "mis", "unk", "zxx", "none"]);

/** Tags that files and programs use, but browsers do not support. */
const ALIASES: Record<string, string> = { pob: "pt-BR", pb: "pt-BR", "es-la": "es-419", chs: "zh-Hans", cht: "zh-Hant" };

/** Languages with tags of their own, where a viewer who chose one would accept the other. */
const EQUIVALENT: Record<string, string> = { nb: "no", nn: "no" };

/** The canonical tag, null for no language: `por`, `PT` and `pt` all become `pt`. */
export function canonical(tag: string | null | undefined): string | null {
  const written = (tag ?? "").trim().replaceAll("_", "-");
  if (UNDEFINED_TAGS.has(written.toLowerCase())) return null;
  try {
    return Intl.getCanonicalLocales(ALIASES[written.toLowerCase()] ?? written)[0] ?? null;
  } catch {
    return null;
  }
}

/** How similar two languages are: 0 different, 1 same language, 2 also same script, 3 also same region, 4 same tag. */
export function closeness(one: string | null | undefined, other: string | null | undefined): number {
  const [first, second] = [canonical(one), canonical(other)];
  if (first === null || second === null) return 0;
  if (first === second) return 4;
  // `maximize` adds the most likely region and script: Brazil for `pt`, traditional characters for `zh-TW`.
  const [a, b] = [new Intl.Locale(first).maximize(), new Intl.Locale(second).maximize()];
  if ((EQUIVALENT[a.language] ?? a.language) !== (EQUIVALENT[b.language] ?? b.language)) return 0;
  if (a.script !== b.script) return 1;
  return a.region === b.region ? 3 : 2;
}

/** The first item in the wanted language, or in the most similar one; undefined if there is none. */
export function closest<Each extends { language: string | null }>(
  all: readonly Each[],
  wanted: string | null | undefined,
): Each | undefined {
  let found: Each | undefined;
  let best = 0;
  for (const each of all) {
    const close = closeness(each.language, wanted);
    if (close > best) [found, best] = [each, close];
  }
  return found;
}

/** A sort key for languages: the wanted ones come first, in their order. */
export function rank(language: string | null, wanted: readonly string[]): number {
  const index = wanted.findIndex((each) => closeness(each, language) > 0);
  if (index < 0) return wanted.length;
  return index - Math.max(...wanted.map((each) => closeness(each, language))) / 8;
}

function display(language: string, tag: string): string | null {
  try {
    const found = new Intl.DisplayNames(language, { type: "language", fallback: "none" }).of(tag);
    return found ?? null;
  } catch {
    return null;
  }
}

/** The name of a language, in another language, with a capital; the tag if the browser has no name for it. */
export function languageName(language: string, tag: string): string {
  const written = canonical(tag);
  const name = written === null ? null : display(language, written);
  return name ? name.charAt(0).toLocaleUpperCase(language) + name.slice(1) : tag;
}

/** The names a title may use for a language: in English, in itself, and in the language of the page. */
function namesOf(tag: string, language: string): string[] {
  const primary = new Intl.Locale(tag).language;
  const names = [language, "en", tag, primary].flatMap((each) => [display(each, tag), display(each, primary)]);
  return [...new Set(names.filter((name) => name !== null))].sort((one, other) => other.length - one.length);
}

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** `title` without those of `words` that occur in it as whole words, and without leftover brackets and dashes. */
function without(title: string, words: readonly string[]): string {
  let left = title;
  for (const word of words) {
    left = left.replace(new RegExp(`(?<![\\p{L}\\p{N}])${literally(word)}(?![\\p{L}\\p{N}])`, "giu"), " ");
  }
  if (left === title) return title;
  return left
    .replace(/\(\s*\)|\[\s*\]/g, " ")
    .replace(/^[\s\-–—:,.|/]+|[\s\-–—:,.|/]+$/g, "")
    .replace(/^\((.*)\)$|^\[(.*)\]$/, "$1$2")
    .replace(/\s+/g, " ")
    .trim();
}

const FORCED = ["forced", "forçada", "forçadas", "forçado"];
const HEARING = ["SDH", "CC", "HI", "hearing impaired", "hard of hearing"];

export interface NamedTrack {
  language: string | null;
  /** The title in the file; often the name of the language, in English. */
  title: string | null;
  forced?: boolean;
  hearing?: boolean;
}

/**
 * The label of a track in a menu: its language, its title if that adds anything, and its kind. `otherwise` is the label of
 * a track without language and title.
 */
export function trackName(
  track: NamedTrack,
  page: { language: string; forced: string; hearing: string },
  otherwise = "",
): string {
  const tag = canonical(track.language);
  const kinds = [track.forced && page.forced, track.hearing && page.hearing].filter((kind) => typeof kind === "string");
  const implied = [
    ...(tag === null ? [] : namesOf(tag, page.language)),
    ...(track.forced ? [page.forced, ...FORCED] : []),
    ...(track.hearing ? [page.hearing, ...HEARING] : []),
  ];
  const title = without((track.title ?? "").trim(), implied);
  const name = [tag === null ? "" : languageName(page.language, tag), title].filter(Boolean).join(" – ");
  return [name || otherwise, kinds.length > 0 ? `(${kinds.join(", ")})` : ""].filter(Boolean).join(" ");
}
