import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FromWorker, Segment } from "./messages";
import { Session } from "./session";
import { testMp4 } from "./test-mp4";

const CHUNK = 16_000;

/** The server's side of the protocol, which sends when it is told to. */
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
  heard: { type: string; offset?: number }[] = [];
  at = 0;
  sought: number | null = null;
  paused = false;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    Socket.all.push(this);
  }

  send(text: string): void {
    const said = JSON.parse(text) as { type: string; offset?: number };
    this.heard.push(said);
    if (said.type === "seek") this.sought = said.offset ?? 0;
    else this.paused = said.type === "pause";
  }

  close(): void {
    this.readyState = 3;
  }

  accept(): void {
    this.readyState = Socket.OPEN;
    this.onopen?.();
    this.say({ type: "start", offset: 0 });
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify({ end: Socket.bytes.length, size: Socket.bytes.length, ...message }) });
  }

  /** Sends one message; false if there is nothing to be sent. */
  step(): boolean {
    if (this.readyState !== Socket.OPEN) return false;
    if (this.sought !== null) {
      this.at = this.sought;
      this.sought = null;
      this.say({ type: "start", offset: this.at });
      return true;
    }
    if (this.paused) return false;
    if (this.at >= Socket.bytes.length) {
      this.say({ type: "end", offset: this.at });
      this.shut(1000);
      return false;
    }
    const piece = Socket.bytes.slice(this.at, this.at + CHUNK);
    this.at += piece.length;
    this.onmessage?.({ data: piece.buffer });
    return true;
  }

  shut(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

let posted: FromWorker[];
let session: Session;
const said = <K extends FromWorker["kind"]>(kind: K) =>
  posted.filter((each): each is Extract<FromWorker, { kind: K }> => each.kind === kind);
const segments = (epoch: number): Segment[] =>
  said("segment").filter((each) => each.epoch === epoch).map((each) => each.segment);
const newest = () => Socket.all.at(-1) as Socket;

function open(bytes: Uint8Array<ArrayBuffer>): void {
  Socket.bytes = bytes;
  session.handle({ kind: "open", url: "ws://server/film" });
  newest().accept();
}

/** Lets the servers send until nobody does, answering the worker as the page would; `time` is where the video stands. */
function run(time: number, most = 1_000): void {
  for (let step = 0; step < most; step += 1) {
    if (said("tracks").length > 0 && !taken) {
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

/** As `run`, while the video is watched to its end. */
function watch(): void {
  for (let time = 0; time <= 31; time += 1) {
    run(time);
    session.handle({ kind: "at", time });
  }
}

describe("a film", () => {
  it.each(["interleaved", "one after the other", "index at the end"] as const)("%s comes whole", (shape) => {
    open(testMp4(shape).bytes);
    watch();
    expect(newest().protocol).toBe("trio-stream.v1");
    expect(said("problem")).toEqual([]);
    expect(said("done")).toEqual([{ kind: "done", epoch: 0 }]);
    expect(segments(0).filter((each) => each.track === 1)).toHaveLength(30);
  });

  it("is held back while there is enough, and taken again after some was watched", () => {
    open(testMp4().bytes);
    run(0);
    expect(newest().paused).toBe(true);
    const ahead = segments(0).at(-1)?.to ?? 0;
    expect(ahead).toBeGreaterThanOrEqual(9);
    expect(ahead).toBeLessThan(15);
    session.handle({ kind: "at", time: 1 });
    expect(newest().paused).toBe(false);
  });

  it("is held back for as long as somebody wants it so", () => {
    open(testMp4().bytes);
    session.handle({ kind: "hold", on: true });
    run(0);
    session.handle({ kind: "at", time: 0 });
    expect(newest().paused).toBe(true);
    session.handle({ kind: "hold", on: false });
    expect(newest().paused).toBe(false);
  });

  it("goes on after a seek with bytes that came after the server began anew", () => {
    const { bytes, sample } = testMp4();
    open(bytes);
    run(0);
    session.handle({ kind: "seek", time: 20, epoch: 1 });
    const old = new Uint8Array(CHUNK).fill(0xff);
    newest().onmessage?.({ data: old.buffer }); // was under way
    watch();
    const first = segments(1).find((each) => each.track === 1);
    expect(first?.from).toBe(20);
    expect(new Uint8Array(first?.data ?? new ArrayBuffer(0)).slice(-2_000)).toEqual(sample(1, 104));
    expect(said("problem")).toEqual([]);
  });

  it("of two seeks only the last one's bytes are looked at", () => {
    open(testMp4().bytes);
    run(0);
    session.handle({ kind: "seek", time: 20, epoch: 1 });
    const { sought } = newest();
    session.handle({ kind: "seek", time: 10, epoch: 2 });
    newest().say({ type: "start", offset: sought }); // the answer to the first
    newest().onmessage?.({ data: new Uint8Array(CHUNK).fill(0xff).buffer });
    expect(segments(2)).toEqual([]);
    watch();
    expect(segments(2)[0]?.from).toBe(10);
  });

  it("that came whole is asked for again after a seek", () => {
    open(testMp4().bytes);
    watch();
    expect(said("closed")).toEqual([{ kind: "closed", code: 1000, reason: "", normal: true }]);
    const before = Socket.all.length;
    session.handle({ kind: "seek", time: 4, epoch: 1 });
    watch();
    expect(Socket.all.length).toBeGreaterThan(before);
    expect(segments(1)[0]?.from).toBe(4);
    expect(said("done").at(-1)).toEqual({ kind: "done", epoch: 1 });
  });
});

it("of a film that was sent whole before the server heard where its index lies, the rest is asked for again", () => {
  open(testMp4("index at the end").bytes);
  newest().send = () => undefined;
  watch();
  expect(Socket.all.length).toBe(2);
  expect(said("problem")).toEqual([]);
  expect(said("done")).toEqual([{ kind: "done", epoch: 0 }]);
});

describe("what goes wrong is said", () => {
  it("a file that is no MP4", () => {
    open(new Uint8Array(100_000).fill(0x1a));
    run(0);
    expect(said("problem")[0]?.problem.kind).toBe("container");
  });

  it("a file without an index", () => {
    open(testMp4("index at the end").bytes.slice(0, 200_000));
    run(0);
    expect(said("problem")[0]?.problem.kind).toBe("index");
  });

  it("an error of the server", () => {
    open(testMp4().bytes);
    newest().say({ type: "error", status: 409, code: "source-changed", detail: "the file is another one" });
    expect(said("problem")).toEqual([{ kind: "problem", problem: { kind: "server", detail: "the file is another one" } }]);
  });

  it("a connection that was closed; a seek opens another one", () => {
    open(testMp4().bytes);
    run(0, 5);
    newest().shut(1001, "ended through the API");
    expect(said("closed")).toEqual([{ kind: "closed", code: 1001, reason: "ended through the API", normal: false }]);
    session.handle({ kind: "seek", time: 2, epoch: 1 });
    watch();
    expect(segments(1)[0]?.from).toBe(2);
    expect(said("done").at(-1)).toEqual({ kind: "done", epoch: 1 });
  });
});
