/** The bar at the top, and the page for the current URL below it. */

import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { client, useMay } from "./api/queries";
import { LANGUAGES, Language, type Language as LanguageTag, useI18n } from "./i18n";
import icon from "./icon.svg";
import { LibraryPage } from "./library/page";
import { SearchField } from "./library/search";
import { useArrowKeys } from "./ui/arrow-keys";
import { IconSelect } from "./ui/icon-select";
import { PageMessage, LibraryLink } from "./ui/page-message";
import { THEMES, type Theme, useTheme } from "./ui/theme";

// The other pages are loaded when they are opened.
const WatchPage = lazy(() => import("./watch/page"));
const LivePage = lazy(() => import("./live/page"));
const SocketPage = lazy(() => import("./socket/page"));

export function App() {
  const [queries] = useState(client);
  return (
    <QueryClientProvider client={queries}>
      <Language>
        <Shell />
      </Language>
    </QueryClientProvider>
  );
}

function Shell() {
  const { t } = useI18n();
  const [path] = useLocation();
  const content = useRef<HTMLElement>(null);
  const first = useRef(true);
  useArrowKeys();
  useEffect(() => {
    // Moves the focus, so that screen readers announce a new page; on the first load the browser does.
    if (!first.current && !path.startsWith("/watch/")) content.current?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);
  return (
    <>
      <a className="skip" href="#content">
        {t("skip")}
      </a>
      <Top />
      <main id="content" ref={content} className="content" tabIndex={-1}>
        <Suspense fallback={<p className="hidden">{t("loading")}</p>}>
          <Switch>
            <Route path="/" component={LibraryPage} />
            <Route path="/watch/:id">{({ id }) => <WatchPage id={id} />}</Route>
            <Route path="/socket/:id">{({ id }) => <SocketPage id={id} />}</Route>
            <Route path="/live" component={LivePage} />
            <Route>
              <PageMessage icon="film" title={t("notFound")} actions={<LibraryLink />}>
                <p>{t("notFound.more")}</p>
              </PageMessage>
            </Route>
          </Switch>
        </Suspense>
      </main>
    </>
  );
}

function Top() {
  const { t } = useI18n();
  const [path] = useLocation();
  const operates = useMay("operate") === true;
  return (
    <header className="top">
      <Link className="brand" href="/" aria-label="Trio Stream">
        <img src={icon} alt="" width="32" height="32" />
        <span>Trio Stream</span>
      </Link>
      <nav aria-label={t("pages")}>
        <Link href="/" aria-current={path === "/" ? "page" : undefined}>
          {t("library")}
        </Link>
        {operates && (
          <>
            <Link href="/live" aria-current={path === "/live" ? "page" : undefined}>
              {t("live")}
            </Link>
            <a className="more" href="/docs">
              {t("docs")}
            </a>
          </>
        )}
      </nav>
      <div className="room">{path === "/" && <SearchField />}</div>
      <Choices />
    </header>
  );
}

function Choices() {
  const { t, language, choose } = useI18n();
  const [theme, setTheme] = useTheme();
  return (
    <div className="choices">
      <IconSelect icon="globe" label={t("language")} value={language} choose={(tag) => choose(tag as LanguageTag)}>
        {Object.entries(LANGUAGES).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </IconSelect>
      <IconSelect icon="theme" label={t("theme")} value={theme} choose={(each) => setTheme(each as Theme)}>
        {THEMES.map((each) => (
          <option key={each} value={each}>
            {t(`theme.${each}`)}
          </option>
        ))}
      </IconSelect>
    </div>
  );
}
