import { QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { client, me } from "../api/queries";
import { Language } from "../i18n";
import LivePage from "./page";

// jsdom cannot draw. Drawing is tested in a real browser.
vi.mock("../ui/chart", () => ({
  Chart: ({ label, figure }: { label: string; figure: string }) => <p>{`${label} ${figure}`}</p>,
}));

class Events extends EventTarget {
  static readonly CLOSED = 2;
  static all: Events[] = [];
  readyState = 1;
  constructor(readonly url: string) {
    super();
    Events.all.push(this);
  }
  close() {
    this.readyState = Events.CLOSED;
  }
  emit(kind: string, data: unknown) {
    act(() => void this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) })));
  }
}

const stream = (id: string, name: string, more = {}) => ({
  id,
  owner: "192.0.2.7",
  name,
  transport: "websocket",
  start: 0,
  stop: 100_000_000,
  bytes_sent: 40_000_000,
  chunks_sent: 9,
  age: 80,
  buffered: 64_000,
  peak_buffer: 64_000,
  ...more,
});

const now = (streams: unknown[], time = 10_000) => ({
  sample: { time, cpu: 4.5, memory: 88_000_000, bytes_per_second: 1_000_000, streams: streams.length },
  uptime_seconds: 90,
  bytes_sent: 5_000_000,
  max_streams: 50,
  streams,
});

let hidden = false;

beforeEach(() => {
  Events.all = [];
  hidden = false;
  vi.stubGlobal("EventSource", Events);
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function renderFor(verbs: ("watch" | "operate")[]): void {
  const queries = client();
  queries.setQueryData(me.queryKey, { name: "somebody", verbs, status: "ok" });
  render(
    <QueryClientProvider client={queries}>
      <Language>
        <LivePage />
      </Language>
    </QueryClientProvider>,
  );
}

it("tells guests why they see nothing, and does not connect", () => {
  renderFor(["watch"]);
  expect(screen.getByRole("heading", { name: "Activity is not shown here" })).toBeTruthy();
  expect(Events.all).toEqual([]);
});

function open(): Events {
  renderFor(["watch", "operate"]);
  const [events] = Events.all;
  if (events === undefined) throw new Error("the page opened no event stream");
  return events;
}

it("shows the state that the server reports", () => {
  const events = open();
  expect(events.url).toBe("/api/live");
  expect(screen.getByRole("status").textContent).toBe("Connecting…");
  events.emit("now", now([stream("a", "Films/One.mp4")]));
  expect(screen.getByRole("status").textContent).toBe("Connected");
  expect(screen.getByText("CPU 4.5%")).toBeDefined();
  expect(screen.getByText("Throughput 8 Mbit/s")).toBeDefined();
  const row = screen.getByRole("row", { name: /One.mp4/ });
  expect(within(row).getAllByRole("cell").map((cell) => cell.textContent)).toEqual([
    "192.0.2.7",
    "WebSocket",
    "40 MB",
    "4 Mbit/s",
    "64 kB",
    "1:20",
    "Stop",
  ]);
});

it("says when nobody is watching", () => {
  const events = open();
  expect(screen.queryByText("No one is watching")).toBeNull();
  events.emit("now", now([]));
  expect(screen.getByText("No one is watching")).toBeDefined();
});

it("says when it is not connected", () => {
  const events = open();
  events.emit("now", now([]));
  act(() => void events.dispatchEvent(new Event("error")));
  expect(screen.getByRole("status").textContent).toBe("Disconnected. Reconnecting…");
  events.emit("now", now([], 11_000));
  expect(screen.getByRole("status").textContent).toBe("Connected");
});

it("has no connection while the page is hidden", () => {
  const events = open();
  hidden = true;
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
  expect(events.readyState).toBe(Events.CLOSED);
  hidden = false;
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
  expect(Events.all).toHaveLength(2);
});

it("a stopped stream disappears at once, and does not return", async () => {
  const fetched = vi.fn(async () => new Response(null, { status: 204 }));
  vi.stubGlobal("fetch", fetched);
  const events = open();
  events.emit("now", now([stream("a", "One.mp4"), stream("b", "Two.mp4")]));
  await userEvent.click(screen.getByRole("button", { name: "Stop streaming One.mp4 to 192.0.2.7" }));
  expect(screen.queryByText("One.mp4")).toBeNull();
  expect(fetched).toHaveBeenCalledWith("/api/streams/a", expect.objectContaining({ method: "DELETE" }));
  events.emit("now", now([stream("a", "One.mp4"), stream("b", "Two.mp4")], 11_000));
  expect(screen.queryByText("One.mp4")).toBeNull();
  expect(screen.getByText("Two.mp4")).toBeDefined();
});

it("a stream that could not be stopped reappears, with the error of the server", async () => {
  const refusal = { status: 500, code: "internal", detail: "the database is busy" };
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(refusal), { status: 500 }));
  const events = open();
  events.emit("now", now([stream("a", "One.mp4")]));
  await userEvent.click(screen.getByRole("button", { name: /Stop streaming One/ }));
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("the database is busy"));
  expect(screen.getByText("One.mp4")).toBeDefined();
});
