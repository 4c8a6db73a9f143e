/** The texts of the pages, in the language the user chose or else the one their browser prefers. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { loadPreference, savePreference } from "../ui/storage";
import { en, type MessageKey, type Messages } from "./en";
import { ptBR } from "./pt-BR";

export type { MessageKey };

export const LANGUAGES = { en: "English", "pt-BR": "Português (Brasil)" } as const;
export type Language = keyof typeof LANGUAGES;

const MESSAGES: Record<Language, Messages> = { en, "pt-BR": ptBR };

type Values = Record<string, string | number>;

export interface I18n {
  language: Language;
  choose: (language: Language) => void;
  /** The message `key` in this language; `values.count` selects the singular or the plural. */
  t: (key: MessageKey, values?: Values) => string;
}

/** The first language in `languages` that we have, else English. Any Portuguese selects Brazilian Portuguese. */
export function preferred(languages: readonly string[]): Language {
  for (const tag of languages) {
    const [primary] = tag.toLowerCase().split("-");
    if (primary === "pt") return "pt-BR";
    if (primary === "en") return "en";
  }
  return "en";
}

export function translate(language: Language, key: MessageKey, values: Values = {}): string {
  const message = MESSAGES[language][key];
  let text: string;
  if (typeof message === "string") text = message;
  else text = new Intl.PluralRules(language).select(Number(values.count ?? 0)) === "one" ? message[0] : message[1];
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : String(value ?? "");
  });
}

// A cookie, so that the server can render /docs in the same language, and can store a choice made there.
const COOKIE = "trio-stream-language";

function chosenLanguage(): Language | null {
  const cookie = document.cookie.split("; ").find((each) => each.startsWith(`${COOKIE}=`));
  const chosen = cookie?.slice(COOKIE.length + 1) ?? loadPreference("language");
  return chosen !== null && chosen in MESSAGES ? (chosen as Language) : null;
}

function storeChoice(language: Language): void {
  savePreference("language", language);
  document.cookie = `${COOKIE}=${language}; Path=/; Max-Age=31536000; SameSite=Lax`;
}

const Context = createContext<I18n | null>(null);

export function Language({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() => chosenLanguage() ?? preferred(navigator.languages));
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useEffect(() => {
    const chosen = chosenLanguage();
    if (chosen !== null) storeChoice(chosen);
  }, []);
  const i18n = useMemo<I18n>(
    () => ({
      language,
      choose: (chosen) => {
        storeChoice(chosen);
        setLanguage(chosen);
      },
      t: (key, values) => translate(language, key, values),
    }),
    [language],
  );
  return <Context value={i18n}>{children}</Context>;
}

export function useI18n(): I18n {
  const i18n = useContext(Context);
  if (i18n === null) throw new Error("useI18n needs a <Language> provider");
  return i18n;
}

/** The message for a problem of the server by its `code`; null if only the server's English text exists. */
export function problemKey(code: string): MessageKey | null {
  const key = `problem.${code}`;
  return key in en ? (key as MessageKey) : null;
}
