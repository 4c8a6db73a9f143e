/** What the library shows, as it stands in the address: a link to it shows the same. */

import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { SORTS, type Wanted } from "../api/queries";

export function read(search: string): Wanted {
  const asked = new URLSearchParams(search);
  return {
    q: asked.get("q") ?? "",
    folder: asked.get("folder"),
    sort: SORTS.find((each) => each === asked.get("sort")) ?? "name",
    order: asked.get("order") === "desc" ? "desc" : "asc",
  };
}

export function write({ q, folder, sort, order }: Wanted): string {
  const asked = new URLSearchParams();
  if (q) asked.set("q", q);
  if (folder !== null) asked.set("folder", folder);
  if (sort !== "name") asked.set("sort", sort);
  if (order !== "asc") asked.set("order", order);
  const text = asked.toString();
  return text ? `/?${text}` : "/";
}

export function useWanted(): [Wanted, (change: Partial<Wanted>, options?: { replace?: boolean }) => void] {
  const search = useSearch();
  const [, navigate] = useLocation();
  const wanted = useMemo(() => read(search), [search]);
  const change = useCallback(
    (part: Partial<Wanted>, options: { replace?: boolean } = {}) => navigate(write({ ...wanted, ...part }), options),
    [wanted, navigate],
  );
  return [wanted, change];
}
