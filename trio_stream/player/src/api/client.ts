/** Requests to the API. An unsuccessful response is thrown as an `ApiError` with the server's explanation. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Video = Schemas["LibraryVideo"];
export type VideoDetails = Schemas["VideoDetails"];
export type VideoPage = Schemas["VideoPage"];
export type VideoList = Schemas["VideoList"];
export type Folder = Schemas["Folder"];
export type Folders = Schemas["Folders"];
export type Library = Schemas["Library"];
export type Subtitle = Schemas["Subtitle"];
/** What probing found in the file of a video. */
export type MediaInfo = NonNullable<VideoDetails["facts"]>;
export type Stream = Schemas["Stream"];
export type Streams = Schemas["Streams"];
export type Me = Schemas["Me"];
/** What the server allows, see `/api/me`. */
export type Verb = Me["verbs"][number];
export type Metrics = Schemas["Metrics"];
/** The renditions of a video, and its omitted tracks; `reason` is why there are no renditions. */
export type Presentation = Schemas["Presentation"];
/** An omitted track: `codec` is the name of its codec in the file, `code` is a machine-readable reason. */
export type Omitted = Schemas["OmittedTrack"];

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }

  /** Whether a retry may help: there was no response, or the server was busy or unavailable. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Whether the server responded that the resource does not exist (any more). */
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

interface RequestOptions {
  method?: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  json?: unknown;
  signal?: AbortSignal | undefined;
  /** Send it even while the page is being closed. */
  keepalive?: boolean;
}

export async function request<T>(path: string, { method = "GET", json, signal, keepalive }: RequestOptions = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: json === undefined ? {} : { "Content-Type": "application/json" },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(signal === undefined ? {} : { signal }),
      ...(keepalive === undefined ? {} : { keepalive }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", error instanceof Error ? error.message : String(error));
  }
  if (response.status === 204) return undefined as T;
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const problem = (body ?? {}) as { code?: string; detail?: string; title?: string };
    throw new ApiError(
      response.status,
      problem.code ?? "unknown",
      problem.detail ?? problem.title ?? response.statusText,
    );
  }
  return body as T;
}
