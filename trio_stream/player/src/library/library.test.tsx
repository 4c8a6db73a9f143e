import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Video } from "../api/client";
import { client } from "../api/queries";
import { Language } from "../i18n";
import { Card, progressOf } from "./card";
import { layout } from "./grid";
import { libraryUrl, parseFilters } from "./filters";
import { hasChanged } from "./live-updates";
import { SearchField } from "./search";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const video: Video = {
  id: "0123456789abcdef",
  name: "Series/Episode 1.mp4",
  title: "Episode 1",
  size: 1,
  modified: "2026-01-01T00:00:00+00:00",
  added: "2026-01-01T00:00:00+00:00",
  content_type: "video/mp4",
  revision: "r",
  state: "probed",
  reason: null,
  duration: 100,
  width: 1,
  height: 1,
  poster: null,
  blurhash: null,
  playhead: null,
  urls: { self: "", file: "", hls: "", dash: "", stream: "", download: "", websocket: "" },
};

const playhead = { position: 25, duration: 100, watched: false, plays: 0, updated: "2026-01-01T00:00:00+00:00" };

describe("a card", () => {
  const show = (change: Partial<Video>) =>
    render(
      <Language>
        <Card video={{ ...video, ...change }} />
      </Language>,
    );

  it("links to its video, with its title, folder and duration", () => {
    show({});
    expect(screen.getByRole("link").getAttribute("href")).toBe("/watch/0123456789abcdef");
    for (const text of ["Episode 1", "Series", "1:40"]) expect(screen.getByText(text)).toBeTruthy();
  });

  it("shows how much is left of a video that was started", () => {
    show({ playhead });
    expect(screen.getByText("1:15 left")).toBeTruthy();
  });

  it("shows that it was watched, or cannot be read", () => {
    show({ playhead: { ...playhead, watched: true } });
    expect(screen.getByText("Watched")).toBeTruthy();
    cleanup();
    show({ state: "unreadable" });
    expect(screen.getByText("Can't be read")).toBeTruthy();
  });

  it("computes the progress", () => {
    expect(progressOf(video)).toBe(0);
    expect(progressOf({ ...video, playhead })).toBe(0.25);
    expect(progressOf({ ...video, playhead: { ...playhead, position: 500 } })).toBe(1);
  });
});

describe("filters", () => {
  it.each(["/", "/?q=two+words", "/?folder=a%2Fb&sort=added&order=desc"])("are written to the URL and parsed: %s", (path) => {
    expect(libraryUrl(parseFilters(path.slice(1)))).toBe(path);
  });

  it("have defaults for invalid values", () => {
    expect(parseFilters("?sort=magic&order=up")).toEqual({ q: "", folder: null, sort: "name", order: "asc" });
  });
});

describe("the grid", () => {
  it.each([
    [320, 2],
    [390, 2],
    [768, 3],
    [1280, 5],
    [3840, 15],
  ])("%d pixels wide has %d columns", (width, columns) => {
    expect(layout(width, width < 560 ? 12 : 20).columns).toBe(columns);
  });
});

describe("the search field", () => {
  it("searches once, after the last letter, and is cleared by Escape", async () => {
    const user = userEvent.setup();
    history.replaceState(null, "", "/");
    const replaced = vi.spyOn(history, "replaceState");
    render(
      <QueryClientProvider client={client()}>
        <Language>
          <SearchField />
        </Language>
      </QueryClientProvider>,
    );
    const field = screen.getByRole("searchbox");
    await user.type(field, "amélie");
    await vi.waitFor(() => expect(location.search).toBe("?q=am%C3%A9lie"));
    expect(replaced.mock.calls.filter(([, , to]) => String(to).includes("q="))).toHaveLength(1);
    await user.keyboard("{Escape}");
    await vi.waitFor(() => expect(location.search).toBe(""));
  });
});

describe("live updates", () => {
  const look = { number: 1, added: 0, changed: 0, moved: 0, returned: 0, missing: 0, videos: 3 };
  const progress = { look, keeping: { to_probe: 0, to_draw: 2 } } as unknown as Parameters<typeof hasChanged>[1];
  it("refetch when videos were added or got artwork, not while a scan continues", () => {
    expect(hasChanged(undefined, progress)).toBe(false);
    expect(hasChanged(progress, { ...progress, look: { ...progress.look, videos: 4 } })).toBe(false);
    expect(hasChanged(progress, { ...progress, look: { ...progress.look, added: 1 } })).toBe(true);
    expect(hasChanged(progress, { ...progress, keeping: { ...progress.keeping, to_draw: 1 } })).toBe(true);
  });
});
