/** The search field, which searches while the user types. */

import { useEffect, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { Icon } from "../ui/icons";
import { useFilters } from "./filters";

const DELAY = 150; // milliseconds without another keystroke

export function SearchField() {
  const { t } = useI18n();
  const [filters, change] = useFilters();
  const [typed, setTyped] = useState(filters.q);
  const field = useRef<HTMLInputElement>(null);
  const applied = useRef(filters.q);

  useEffect(() => {
    if (filters.q !== applied.current) setTyped(filters.q); // after a link or "back" in the browser
    applied.current = filters.q;
  }, [filters.q]);

  useEffect(() => {
    if (typed === applied.current) return;
    const timer = setTimeout(() => {
      applied.current = typed;
      change({ q: typed }, { replace: true });
    }, DELAY);
    return () => clearTimeout(timer);
  }, [typed, change]);

  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const busy = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key !== "/" || busy || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);

  return (
    <form role="search" className="search" onSubmit={(event) => event.preventDefault()}>
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        value={typed}
        maxLength={200}
        placeholder={t("search")}
        aria-label={t("search")}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && setTyped("")}
      />
      {typed !== "" && (
        <button type="button" className="icon-button" aria-label={t("search.clear")} onClick={() => setTyped("")}>
          <Icon name="clear" />
        </button>
      )}
    </form>
  );
}
