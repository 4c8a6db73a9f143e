/** What the pages say, in the language of the browser or the one that was chosen. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { loadPreference, savePreference } from "../ui/storage";
import { en, type Word, type Words } from "./en";

export type { Word };
import { ptBR } from "./pt-BR";

export const LANGUAGES = { en: "English", "pt-BR": "Português (Brasil)" } as const;
export type Language = keyof typeof LANGUAGES;

const WORDS: Record<Language, Words> = { en, "pt-BR": ptBR };

type Values = Record<string, string | number>;

export interface Texts {
  language: Language;
  choose: (language: Language) => void;
  /** What `word` is in this language; `count` among the values chooses between one and more. */
  t: (word: Word, values?: Values) => string;
}

/** The first of the languages a browser prefers that there is; any Portuguese is better than none. */
export function preferred(languages: readonly string[]): Language {
  for (const tag of languages) {
    const [primary] = tag.toLowerCase().split("-");
    if (primary === "pt") return "pt-BR";
    if (primary === "en") return "en";
  }
  return "en";
}

export function say(language: Language, word: Word, values: Values = {}): string {
  const found = WORDS[language][word];
  let text: string;
  if (typeof found === "string") text = found;
  else text = new Intl.PluralRules(language).select(Number(values.count ?? 0)) === "one" ? found[0] : found[1];
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : String(value ?? "");
  });
}

const Context = createContext<Texts | null>(null);

export function Language({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() => {
    const chosen = loadPreference("language");
    return chosen !== null && chosen in WORDS ? (chosen as Language) : preferred(navigator.languages);
  });
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const texts = useMemo<Texts>(
    () => ({
      language,
      choose: (chosen) => {
        savePreference("language", chosen);
        setLanguage(chosen);
      },
      t: (word, values) => say(language, word, values),
    }),
    [language],
  );
  return <Context value={texts}>{children}</Context>;
}

export function useTexts(): Texts {
  const found = useContext(Context);
  if (found === null) throw new Error("there is no language around this");
  return found;
}
