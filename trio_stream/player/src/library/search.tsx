/** The field that finds as one types. */

import { useEffect, useRef, useState } from "react";
import { useTexts } from "../i18n";
import { Icon } from "../ui/icons";
import { useWanted } from "./wanted";

const PAUSE = 150; // milliseconds without a further letter

export function SearchField() {
  const { t } = useTexts();
  const [wanted, change] = useWanted();
  const [typed, setTyped] = useState(wanted.q);
  const field = useRef<HTMLInputElement>(null);
  const said = useRef(wanted.q);

  useEffect(() => {
    if (wanted.q !== said.current) setTyped(wanted.q); // by a link, or the way back
    said.current = wanted.q;
  }, [wanted.q]);

  useEffect(() => {
    if (typed === said.current) return;
    const timer = setTimeout(() => {
      said.current = typed;
      change({ q: typed }, { replace: true });
    }, PAUSE);
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
