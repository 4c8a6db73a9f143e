import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FromWorker, Segment } from "./messages";
import { Session } from "./session";
import { testMp4 } from "./test-mp4";

const CHUNK = 16_000;

/** The server's side of the protocol. It sends only when `step` is called. */
class Socket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static all: Socket[] = [];
  static bytes = new Uint8Array(0);
  readyState = Socket.CONNECTING;
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  received: { type: string; offset?: number }[] = [];
  at = 0;
  seekOffset: number | null = null;
  paused = false;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    Socket.all.push(this);
  }

  send(text: string): void {
    const message = JSON.parse(text) as { type: string; offset?: number };
    this.received.push(message);
    if (message.type === "seek") this.seekOffset = message.offset ?? 0;
    else this.paused = message.type === "pause";
  }

  close(): void {
    this.readyState = 3;
  }

  accept(): void {
    this.readyState = Socket.OPEN;
    this.onopen?.();
    this.sendText({ type: "start", offset: 0 });
  }

  sendText(message: object): void {
    this.onmessage?.({ data: JSON.stringify({ end: Socket.bytes.length, size: Socket.bytes.length, ...message }) });
  }

  /** Sends one message; false if there is nothing to send. */
  step(): boolean {
    if (this.readyState !== Socket.OPEN) return false;
    if (this.seekOffset !== null) {
      this.at = this.seekOffset;
      this.seekOffset = null;
      this.sendText({ type: "start", offset: this.at });
      return true;
    }
    if (this.paused) return false;
    if (this.at >= Socket.bytes.length) {
      this.sendText({ type: "end", offset: this.at });
      this.shut(1000);
      return false;
    }
    const part = Socket.bytes.slice(this.at, this.at + CHUNK);
    this.at += part.length;
    this.onmessage?.({ data: part.buffer });
    return true;
  }

  shut(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

let posted: FromWorker[];
let session: Session;
const postedOf = <K extends FromWorker["kind"]>(kind: K) =>
  posted.filter((each): each is Extract<FromWorker, { kind: K }> => each.kind === kind);
const segments = (epoch: number): Segment[] =>
  postedOf("segment").filter((each) => each.epoch === epoch).map((each) => each.segment);
const newest = () => Socket.all.at(-1) as Socket;

function open(bytes: Uint8Array<ArrayBuffer>): void {
  Socket.bytes = bytes;
  session.handle({ kind: "open", url: "ws://server/video" });
  newest().accept();
}

/** Lets the servers send until none has anything left, with the page choosing the tracks at `time`. */
function run(time: number, most = 1_000): void {
  for (let step = 0; step < most; step += 1) {
    if (postedOf("tracks").length > 0 && !taken) {
      taken = true;
      session.handle({ kind: "take", tracks: [1, 2], time });
    }
    if (newest().readyState === Socket.CONNECTING) newest().accept();
    else if (!newest().step()) return;
  }
}

let taken: boolean;

beforeEach(() => {
  posted = [];
  taken = false;
  Socket.all = [];
  vi.stubGlobal("WebSocket", Socket);
  session = new Session((message) => posted.push(message));
  return () => vi.unstubAllGlobals();
});

/** Like `run`, while the video plays to its end. */
function watch(): void {
  for (let time = 0; time <= 31; time += 1) {
    run(time);
    session.handle({ kind: "at", time });
  }
}

describe("a file", () => {
  it.each(["interleaved", "one after the other", "index at the end"] as const)("%s arrives completely", (shape) => {
    open(testMp4(shape).bytes);
    watch();
    expect(newest().protocol).toBe("trio-stream.v1");
    expect(postedOf("problem")).toEqual([]);
    expect(postedOf("done")).toEqual([{ kind: "done", epoch: 0 }]);
    expect(segments(0).filter((each) => each.track === 1)).toHaveLength(30);
  });

  it("is paused while enough is buffered, and resumes after some was watched", () => {
    open(testMp4().bytes);
    run(0);
    expect(newest().paused).toBe(true);
    const ahead = segments(0).at(-1)?.to ?? 0;
    expect(ahead).toBeGreaterThanOrEqual(9);
    expect(ahead).toBeLessThan(15);
    session.handle({ kind: "at", time: 1 });
    expect(newest().paused).toBe(false);
  });

  it("is paused for as long as the viewer wants", () => {
    open(testMp4().bytes);
    session.handle({ kind: "hold", on: true });
    run(0);
    session.handle({ kind: "at", time: 0 });
    expect(newest().paused).toBe(true);
    session.handle({ kind: "hold", on: false });
    expect(newest().paused).toBe(false);
  });

  it("continues after a seek with the bytes after the next start message", () => {
    const { bytes, sample } = testMp4();
    open(bytes);
    run(0);
    session.handle({ kind: "seek", time: 20, epoch: 1 });
    const old = new Uint8Array(CHUNK).fill(0xff);
    newest().onmessage?.({ data: old.buffer }); // was in transit
    watch();
    const first = segments(1).find((each) => each.track === 1);
    expect(first?.from).toBe(20);
    expect(new Uint8Array(first?.data ?? new ArrayBuffer(0)).slice(-2_000)).toEqual(sample(1, 104));
    expect(postedOf("problem")).toEqual([]);
  });

  it("uses only the bytes of the last of two seeks", () => {
    open(testMp4().bytes);
    run(0);
    session.handle({ kind: "seek", time: 20, epoch: 1 });
    const { seekOffset: sought } = newest();
    session.handle({ kind: "seek", time: 10, epoch: 2 });
    newest().sendText({ type: "start", offset: sought }); // the response to the first
    newest().onmessage?.({ data: new Uint8Array(CHUNK).fill(0xff).buffer });
    expect(segments(2)).toEqual([]);
    watch();
    expect(segments(2)[0]?.from).toBe(10);
  });

  it("that arrived completely is requested again after a seek", () => {
    open(testMp4().bytes);
    watch();
    expect(postedOf("closed")).toEqual([{ kind: "closed", code: 1000, reason: "", normal: true }]);
    const before = Socket.all.length;
    session.handle({ kind: "seek", time: 4, epoch: 1 });
    watch();
    expect(Socket.all.length).toBeGreaterThan(before);
    expect(segments(1)[0]?.from).toBe(4);
    expect(postedOf("done").at(-1)).toEqual({ kind: "done", epoch: 1 });
  });
});

it("a file sent completely before the server received the seek to its index is requested again", () => {
  open(testMp4("index at the end").bytes);
  newest().send = () => undefined;
  watch();
  expect(Socket.all.length).toBe(2);
  expect(postedOf("problem")).toEqual([]);
  expect(postedOf("done")).toEqual([{ kind: "done", epoch: 0 }]);
});

describe("reports a problem with", () => {
  it("a file that is not an MP4", () => {
    open(new Uint8Array(100_000).fill(0x1a));
    run(0);
    expect(postedOf("problem")[0]?.problem.kind).toBe("container");
  });

  it("a file without an index", () => {
    open(testMp4("index at the end").bytes.slice(0, 200_000));
    run(0);
    expect(postedOf("problem")[0]?.problem.kind).toBe("index");
  });

  it("an error of the server", () => {
    open(testMp4().bytes);
    newest().sendText({ type: "error", status: 409, code: "source-changed", detail: "the file has changed" });
    expect(postedOf("problem")).toEqual([{ kind: "problem", problem: { kind: "server", detail: "the file has changed" } }]);
  });

  it("a connection that was closed, and a seek opens another one", () => {
    open(testMp4().bytes);
    run(0, 5);
    newest().shut(1001, "ended through the API");
    expect(postedOf("closed")).toEqual([{ kind: "closed", code: 1001, reason: "ended through the API", normal: false }]);
    session.handle({ kind: "seek", time: 2, epoch: 1 });
    watch();
    expect(segments(1)[0]?.from).toBe(2);
    expect(postedOf("done").at(-1)).toEqual({ kind: "done", epoch: 1 });
  });
});
