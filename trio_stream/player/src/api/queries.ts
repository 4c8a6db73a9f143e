/** The queries of the pages: what they request, how long a response stays fresh, and when it is requested again. */

import { infiniteQueryOptions, QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { ApiError, type Folders, type Library, type Me, type Presentation, request, type Verb } from "./client";
import type { VideoDetails, VideoList, VideoPage } from "./client";

/** Videos per request: two screens of them. With more, the first posters would load late on a slow network. */
export const PAGE_SIZE = 40;

export const SORTS = ["name", "title", "added", "modified", "size", "duration"] as const;
export type Sort = (typeof SORTS)[number];

export interface Wanted {
  q: string;
  folder: string | null;
  sort: Sort;
  order: "asc" | "desc";
}

export function client(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) => failures < 3 && error instanceof ApiError && error.isTransient,
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 5_000),
      },
    },
  });
}

export function videosOf({ q, folder, sort, order }: Wanted) {
  return infiniteQueryOptions({
    queryKey: ["videos", { q, folder, sort, order }],
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ limit: String(PAGE_SIZE), sort, order });
      if (q) query.set("q", q);
      if (folder !== null) query.set("folder", folder);
      if (pageParam) query.set("cursor", pageParam);
      return request<VideoPage>(`/api/videos?${query}`, { signal });
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

export const foldersIn = (folder: string) =>
  queryOptions({
    queryKey: ["folders", folder],
    queryFn: ({ signal }) =>
      request<Folders>(`/api/folders?${new URLSearchParams({ in: folder, limit: "200" })}`, { signal }),
  });

export const continueWatching = queryOptions({
  queryKey: ["continue"],
  queryFn: ({ signal }) => request<VideoList>("/api/continue?limit=20", { signal }),
});

export const me = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => request<Me>("/api/me", { signal }),
  staleTime: Number.POSITIVE_INFINITY, // it changes only when the server starts again
});

/** Whether the server allows this; undefined until that is known. If it cannot be known, try: the server decides. */
export function useMay(verb: Verb): boolean | undefined {
  const { data, isError } = useQuery(me);
  return data?.verbs.includes(verb) ?? (isError ? true : undefined);
}

export const library = queryOptions({
  queryKey: ["library"],
  queryFn: ({ signal }) => request<Library>("/api/library", { signal }),
});

export const video = (id: string) =>
  queryOptions({
    queryKey: ["video", id],
    queryFn: ({ signal }) => request<VideoDetails>(`/api/videos/${id}`, { signal }),
    staleTime: 0, // the playhead may have changed seconds ago
  });

export const presentation = (id: string) =>
  queryOptions({
    queryKey: ["presentation", id],
    queryFn: ({ signal }) => request<Presentation>(`/api/videos/${id}/presentation`, { signal }),
    staleTime: 60_000, // it changes only with the file
  });

export function putPlayhead(id: string, position: number, duration: number): Promise<unknown> {
  return request(`/api/videos/${id}/playhead`, {
    method: "PUT",
    json: { position, duration },
    keepalive: true,
  });
}
