/**
 * The worker's side of playback: reads the bytes of a file from a WebSocket and posts segments. After a seek, all bytes are
 * ignored until the `start` message for it: they belong to the position before.
 */

import { shouldWait } from "./buffer-policy";
import { FragmentTooLarge } from "./fragmented";
import { type FromWorker, parseMessage, type Problem, SUBPROTOCOL, type ToWorker } from "./messages";
import { IndexReader, isMp4, type Mp4Index } from "./mp4-index";
import type { SegmentSource } from "./progressive";

const NORMAL = 1000; // RFC 6455 section 7.4.1

/** Why the server should wait: enough is buffered, or the viewer paused it. */
type HoldReason = "enough" | "person";
type Post = (message: FromWorker, moved?: Transferable[]) => void;

export class Session {
  readonly #post: Post;
  #url = "";
  #socket: WebSocket | null = null;
  #size = 0;
  /** The offset of the next bytes in the file. */
  #position = 0;
  /** The offset in the `start` message it waits for. */
  #awaited: number | null = null;
  readonly #holds = new Set<HoldReason>();
  #held = false; // the server is paused
  #received = 0;
  #reader: IndexReader | null = new IndexReader();
  #index: Mp4Index | null = null;
  #waiting: [offset: number, bytes: Uint8Array<ArrayBuffer>][] = []; // until the page has chosen the tracks
  #source: SegmentSource | null = null;
  #epoch = 0;
  /** Up to which second segments of each track are built, and the current time of the video. */
  #builtUntil = new Map<number, number>();
  #time = 0;
  #over = false; // this epoch is done, or there was a problem

  constructor(post: Post) {
    this.#post = post;
  }

  handle(message: ToWorker): void {
    if (message.kind === "open") {
      this.#url = message.url;
      this.#connect(this.#position);
    } else if (message.kind === "take") this.#selectTracks(message.tracks, message.time);
    else if (message.kind === "seek") this.#goTo(message.time, message.epoch);
    else if (message.kind === "hold") this.#hold("person", message.on);
    else {
      this.#time = message.time;
      this.#updateHold(true);
    }
  }

  /** The state of the transfer, posted regularly. */
  flow(): FromWorker {
    return { kind: "flow", received: this.#received, held: this.#held, open: this.#socket?.readyState === WebSocket.OPEN };
  }

  #connect(offset: number): void {
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#awaited = offset;
    this.#held = false;
    let ended = false;
    socket.onopen = () => {
      this.#post({ kind: "opened" });
      if (this.#awaited !== null && this.#awaited > 0) this.#send({ type: "seek", offset: this.#awaited });
      this.#sendHold();
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.#socket !== socket) return;
      if (typeof data !== "string") {
        this.#received += data.byteLength;
        if (this.#awaited === null && !this.#over) this.#guard(() => this.#bytes(new Uint8Array(data)));
        return;
      }
      const message = parseMessage(data);
      if (message?.type === "start") this.#start(message.offset, message.size);
      else if (message?.type === "end") ended = true;
      else if (message?.type === "error") this.#fail({ kind: "server", detail: message.detail });
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#held = false;
      const whole = ended && code === NORMAL;
      this.#post({ kind: "closed", code, reason, normal: whole });
      if (whole) this.#guard(() => this.#continue());
    };
  }

  #start(offset: number, size: number): void {
    this.#size = size;
    if (this.#awaited !== null && this.#awaited !== offset) return; // for an earlier seek, or the first of the connection
    this.#awaited = null;
    this.#position = offset;
    this.#source?.restart();
  }

  #seek(offset: number): void {
    this.#awaited = offset;
    this.#source?.restart();
    const state = this.#socket?.readyState;
    if (state === WebSocket.OPEN) this.#send({ type: "seek", offset });
    else if (state !== WebSocket.CONNECTING) this.#connect(offset);
  }

  #bytes(bytes: Uint8Array<ArrayBuffer>): void {
    const offset = this.#position;
    this.#position += bytes.length;
    if (this.#source !== null) this.#feed(offset, bytes);
    else if (this.#index !== null) this.#waiting.push([offset, bytes]);
    else if (this.#reader !== null) this.#read(this.#reader, offset, bytes);
  }

  #read(reader: IndexReader, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (offset === 0 && !isMp4(bytes)) {
      this.#fail({ kind: "container" });
      return;
    }
    let found: Mp4Index | number;
    try {
      found = reader.push(offset, bytes, this.#size);
    } catch (error) {
      this.#fail({ kind: "index", detail: error instanceof Error ? error.message : String(error) });
      return;
    }
    if (typeof found !== "number") {
      this.#reader = null;
      this.#index = found;
      this.#waiting = [[offset, bytes]];
      this.#hold("enough", true); // until the page has chosen the tracks
      this.#post({ kind: "tracks", tracks: found.tracks, duration: found.duration });
    } else if (found >= this.#size) this.#fail({ kind: "index", detail: "" });
    else if (found !== this.#position) this.#seek(found);
  }

  #selectTracks(tracks: readonly number[], time: number): void {
    if (this.#index === null || this.#source !== null) return;
    this.#builtUntil = new Map(tracks.map((track) => [track, time]));
    this.#time = time;
    this.#hold("enough", false);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#guard(() => {
      const source = this.#index?.source(tracks);
      if (source === undefined) return;
      this.#source = source;
      const offset = source.seek(time);
      const [first] = waiting;
      if (first === undefined || offset < first[0] || offset > this.#position) this.#seek(offset);
      else for (const [start, bytes] of waiting) if (this.#awaited === null) this.#feed(start, bytes);
    });
  }

  #goTo(time: number, epoch: number): void {
    this.#epoch = epoch;
    this.#over = false;
    this.#time = time;
    for (const track of this.#builtUntil.keys()) this.#builtUntil.set(track, time);
    this.#updateHold(true);
    this.#guard(() => {
      if (this.#source !== null) this.#seek(this.#source.seek(time));
    });
  }

  #feed(offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    const source = this.#source;
    if (source === null) return;
    for (const segment of source.push(offset, bytes)) {
      this.#builtUntil.set(segment.track, segment.to);
      this.#post({ kind: "segment", epoch: this.#epoch, segment }, [segment.data]);
    }
    this.#updateHold(false);
    if (source.done) {
      this.#finish();
      return;
    }
    const target = source.seekTarget(offset + bytes.length);
    if (target !== null && target < this.#size) this.#seek(target);
  }

  /** The server has sent everything up to the end. If something is missing, it is earlier in the file, or not in it. */
  #continue(): void {
    if (this.#over) return;
    const target = this.#awaited ?? this.#source?.seekTarget(this.#position) ?? null;
    if (target !== null && target < this.#size) this.#connect(target);
    else if (this.#source !== null) this.#finish();
    else if (this.#reader !== null) this.#fail({ kind: "index", detail: "" });
  }

  #finish(): void {
    this.#over = true;
    this.#post({ kind: "done", epoch: this.#epoch });
  }

  /** Pause the server while enough is buffered. Segments count as soon as they are built, which is before they are appended. */
  #updateHold(tick: boolean): void {
    const ahead = Math.min(...this.#builtUntil.values()) - this.#time;
    this.#hold("enough", this.#builtUntil.size > 0 && !this.#over && shouldWait(this.#holds.has("enough"), ahead, tick));
  }

  #hold(reason: HoldReason, on: boolean): void {
    if (on) this.#holds.add(reason);
    else this.#holds.delete(reason);
    this.#sendHold();
  }

  #sendHold(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#held === this.#holds.size > 0) return;
    this.#held = this.#holds.size > 0;
    this.#send({ type: this.#held ? "pause" : "resume" });
    this.#post(this.flow());
  }

  #send(message: { type: "seek"; offset: number } | { type: "pause" | "resume" }): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof FragmentTooLarge) this.#fail({ kind: "fragment", size: error.size });
      else this.#fail({ kind: "media", detail: error instanceof Error ? error.message : String(error) });
    }
  }

  #fail(problem: Problem): void {
    this.#over = true;
    const socket = this.#socket;
    this.#socket = null; // ignore its further messages
    socket?.close();
    this.#post({ kind: "problem", problem });
  }
}
