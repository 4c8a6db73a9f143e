/** The filters and sorting of the library, which are kept in the URL: so a link shows the same videos. */

import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { SORTS, type Wanted } from "../api/queries";

export function parseFilters(search: string): Wanted {
  const parameters = new URLSearchParams(search);
  return {
    q: parameters.get("q") ?? "",
    folder: parameters.get("folder"),
    sort: SORTS.find((each) => each === parameters.get("sort")) ?? "name",
    order: parameters.get("order") === "desc" ? "desc" : "asc",
  };
}

export function libraryUrl({ q, folder, sort, order }: Wanted): string {
  const parameters = new URLSearchParams();
  if (q) parameters.set("q", q);
  if (folder !== null) parameters.set("folder", folder);
  if (sort !== "name") parameters.set("sort", sort);
  if (order !== "asc") parameters.set("order", order);
  const query = parameters.toString();
  return query ? `/?${query}` : "/";
}

export function useFilters(): [Wanted, (change: Partial<Wanted>, options?: { replace?: boolean }) => void] {
  const search = useSearch();
  const [, navigate] = useLocation();
  const filters = useMemo(() => parseFilters(search), [search]);
  const change = useCallback(
    (part: Partial<Wanted>, options: { replace?: boolean } = {}) => navigate(libraryUrl({ ...filters, ...part }), options),
    [filters, navigate],
  );
  return [filters, change];
}
