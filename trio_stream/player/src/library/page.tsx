/** All videos: what was begun, the folders, and a grid. */

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import { Link } from "wouter";
import { continueWatching, foldersIn, library, SORTS, type Sort, videosOf, type Wanted } from "../api/queries";
import { useTexts } from "../i18n";
import { Icon } from "../ui/icons";
import { Failed, PageMessage } from "../ui/page-message";
import { Card } from "./card";
import { Grid } from "./grid";
import "./library.css";
import { useNews } from "./news";
import { useWanted, write } from "./wanted";

export function LibraryPage() {
  const { t } = useTexts();
  const [wanted, change] = useWanted();
  const found = useInfiniteQuery({ ...videosOf(wanted), placeholderData: (before) => before });
  const about = useQuery(library);
  useNews();
  useEffect(() => {
    document.title = "Trio Stream";
  }, []);
  const videos = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const { fetchNextPage, isFetchingNextPage } = found;
  const wantMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);

  if (found.isError && videos.length === 0)
    return <Failed title={t("library.failed")} error={found.error} retry={() => void found.refetch()} />;
  const plain = wanted.q === "" && wanted.folder === null;
  const empty = found.isSuccess && videos.length === 0;
  if (empty && plain && about.data !== undefined && about.data.folders <= 1 && about.data.videos === 0)
    return (
      <PageMessage icon="film" title={t("library.empty")}>
        <p>{t("library.empty.more")}</p>
        <code>{about.data.folder}</code>
        <Doings />
      </PageMessage>
    );
  return (
    <div className="library">
      <h1 className="hidden">{t("library")}</h1>
      <Doings />
      {plain && <Begun />}
      {wanted.q === "" && <Folders folder={wanted.folder} />}
      <section aria-labelledby="videos">
        <div className="heading">
          <h2 id="videos">{wanted.folder === null ? t("everything") : lastOf(wanted.folder)}</h2>
          <Order wanted={wanted} change={change} />
        </div>
        {found.isPending ? (
          <Skeleton />
        ) : empty && wanted.q !== "" ? (
          <PageMessage
            icon="search"
            title={t("search.none", { words: wanted.q })}
            actions={
              <button type="button" className="button" onClick={() => change({ q: "" })}>
                {t("search.clear")}
              </button>
            }
          >
            <p>{t("search.more")}</p>
          </PageMessage>
        ) : (
          <Grid videos={videos} more={found.hasNextPage} wantMore={wantMore} />
        )}
      </section>
      <p className="hidden" role="status">
        {found.isFetching ? t("loading") : ""}
      </p>
    </div>
  );
}

const lastOf = (folder: string) => folder.slice(folder.lastIndexOf("/") + 1);

function Order({ wanted, change }: { wanted: Wanted; change: (part: Partial<Wanted>) => void }) {
  const { t } = useTexts();
  const down = wanted.order === "desc";
  return (
    <div className="order">
      <label>
        <span className="hidden">{t("sort")}</span>
        <select value={wanted.sort} onChange={(event) => change({ sort: event.target.value as Sort })}>
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

function Begun() {
  const { t } = useTexts();
  const found = useQuery(continueWatching);
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
  const { t } = useTexts();
  const found = useQuery(foldersIn(folder ?? ""));
  const inside = found.data?.folders ?? [];
  if (folder === null && inside.length === 0) return null;
  const steps = folder === null ? [] : folder.split("/");
  const link = (name: string | null) => write({ q: "", folder: name, sort: "name", order: "asc" });
  return (
    <section aria-label={t("folders")} className="folders">
      {folder !== null && (
        <nav className="crumbs" aria-label={t("folders")}>
          <Link href={link(null)}>{t("everything")}</Link>
          {steps.map((step, place) => {
            const name = steps.slice(0, place + 1).join("/");
            return (
              <Link key={name} href={link(name)} aria-current={place === steps.length - 1 ? "page" : undefined}>
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

/** What is going on in the background, and what does not go well. */
function Doings() {
  const { t } = useTexts();
  const { data } = useQuery(library);
  if (data === undefined) return null;
  const { look, keeping, watching } = data;
  const making = keeping.to_draw + keeping.to_probe;
  return (
    <div className="doings" role="status">
      {look.running ? (
        <p>{t("library.scanning", { count: look.videos })}</p>
      ) : keeping.working && making > 0 ? (
        <p>{t("library.making", { count: making })}</p>
      ) : null}
      {!watching.on && watching.reason !== null && (
        <p className="warning">{t("library.unwatched", { reason: watching.reason })}</p>
      )}
    </div>
  );
}

function Skeleton() {
  return (
    <ul className="row still" aria-hidden="true">
      {Array.from({ length: 12 }, (_, place) => (
        <li key={place} className="card">
          <span className="picture" />
          <span className="name" />
        </li>
      ))}
    </ul>
  );
}
