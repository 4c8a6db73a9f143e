/** The library: videos to continue, folders, and a grid of all videos. */

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import { Link } from "wouter";
import { continueWatching, foldersIn, library, SORTS, type Sort, useMay, videosOf, type Wanted } from "../api/queries";
import { useI18n } from "../i18n";
import { Icon } from "../ui/icons";
import { Failed, PageMessage } from "../ui/page-message";
import { Card } from "./card";
import { Grid } from "./grid";
import "./library.css";
import { libraryUrl, useFilters } from "./filters";
import { useLiveUpdates } from "./live-updates";

export function LibraryPage() {
  const { t } = useI18n();
  const [filters, change] = useFilters();
  const query = useInfiniteQuery({ ...videosOf(filters), placeholderData: (before) => before });
  const about = useQuery(library);
  useLiveUpdates();
  useEffect(() => {
    document.title = "Trio Stream";
  }, []);
  const videos = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { fetchNextPage, isFetchingNextPage } = query;
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);

  if (query.isError && videos.length === 0)
    return <Failed title={t("library.failed")} error={query.error} retry={() => void query.refetch()} />;
  const plain = filters.q === "" && filters.folder === null;
  const empty = query.isSuccess && videos.length === 0;
  if (empty && plain && about.data !== undefined && about.data.folders <= 1 && about.data.videos === 0)
    return (
      <PageMessage icon="film" title={t("library.empty")}>
        {about.data.folder !== "" && ( // guests need not know where it is
          <>
            <p>{t("library.empty.more")}</p>
            <code>{about.data.folder}</code>
          </>
        )}
        <Activity />
      </PageMessage>
    );
  return (
    <div className="library">
      <h1 className="hidden">{t("library")}</h1>
      <Activity />
      {plain && <Continue />}
      {filters.q === "" && <Folders folder={filters.folder} />}
      <section aria-labelledby="videos">
        <div className="heading">
          <h2 id="videos">{filters.folder === null ? t("everything") : lastOf(filters.folder)}</h2>
          <Order filters={filters} change={change} />
        </div>
        {query.isPending ? (
          <Skeleton />
        ) : empty && filters.q !== "" ? (
          <PageMessage
            icon="search"
            title={t("search.none", { words: filters.q })}
            actions={
              <button type="button" className="button" onClick={() => change({ q: "" })}>
                {t("search.clear")}
              </button>
            }
          >
            <p>{t("search.more")}</p>
          </PageMessage>
        ) : (
          <Grid videos={videos} hasMore={query.hasNextPage} loadMore={loadMore} />
        )}
      </section>
      <p className="hidden" role="status">
        {query.isFetching ? t("loading") : ""}
      </p>
    </div>
  );
}

const lastOf = (folder: string) => folder.slice(folder.lastIndexOf("/") + 1);

function Order({ filters, change }: { filters: Wanted; change: (part: Partial<Wanted>) => void }) {
  const { t } = useI18n();
  const down = filters.order === "desc";
  return (
    <div className="order">
      <label>
        <span className="hidden">{t("sort")}</span>
        <select value={filters.sort} onChange={(event) => change({ sort: event.target.value as Sort })}>
          {SORTS.map((sort) => (
            <option key={sort} value={sort}>
              {t(`sort.${sort}`)}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        className="icon-button"
        aria-label={down ? t("descending") : t("ascending")}
        onClick={() => change({ order: down ? "asc" : "desc" })}
      >
        <Icon name={down ? "down" : "up"} />
      </button>
    </div>
  );
}

function Continue() {
  const { t } = useI18n();
  const found = useQuery({ ...continueWatching, enabled: useMay("track") === true });
  if (!found.data?.items.length) return null;
  return (
    <section aria-labelledby="continue">
      <div className="heading">
        <h2 id="continue">{t("continue")}</h2>
      </div>
      <ul className="strip">
        {found.data.items.map((video) => (
          <li key={video.id}>
            <Card video={video} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Folders({ folder }: { folder: string | null }) {
  const { t } = useI18n();
  const found = useQuery(foldersIn(folder ?? ""));
  const inside = found.data?.folders ?? [];
  if (folder === null && inside.length === 0) return null;
  const steps = folder === null ? [] : folder.split("/");
  const link = (name: string | null) => libraryUrl({ q: "", folder: name, sort: "name", order: "asc" });
  return (
    <section aria-label={t("folders")} className="folders">
      {folder !== null && (
        <nav className="crumbs" aria-label={t("folders")}>
          <Link href={link(null)}>{t("everything")}</Link>
          {steps.map((step, index) => {
            const name = steps.slice(0, index + 1).join("/");
            return (
              <Link key={name} href={link(name)} aria-current={index === steps.length - 1 ? "page" : undefined}>
                {step}
              </Link>
            );
          })}
        </nav>
      )}
      <ul>
        {inside.map((each) => (
          <li key={each.name}>
            <Link className="folder" href={link(each.name)}>
              <Icon name="folder" />
              <span className="folder-name">{each.title}</span>
              {each.videos > 0 && (
                <span className="count" title={t("folders.videos", { count: each.videos })}>
                  {each.videos}
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The progress of scans and background jobs, and a warning if the folder is not watched. */
function Activity() {
  const { t } = useI18n();
  const { data } = useQuery(library);
  if (data === undefined) return null;
  const { look, keeping, watching } = data;
  const pending = keeping.to_draw + keeping.to_probe;
  return (
    <div className="activity" role="status">
      {look.running ? (
        <p>{t("library.scanning", { count: look.videos })}</p>
      ) : keeping.working && pending > 0 ? (
        <p>{t("library.creating", { count: pending })}</p>
      ) : null}
      {!watching.on && watching.reason !== null && (
        <p className="warning">
          {t("library.unwatched")} <span lang="en">{watching.reason}</span>
        </p>
      )}
    </div>
  );
}

function Skeleton() {
  return (
    <ul className="row skeleton" aria-hidden="true">
      {Array.from({ length: 12 }, (_, index) => (
        <li key={index} className="card">
          <span className="poster" />
          <span className="name" />
        </li>
      ))}
    </ul>
  );
}
