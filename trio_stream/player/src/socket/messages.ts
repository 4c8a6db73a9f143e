/** What is said: between the server and the worker over the socket, and between the worker and the page. */

export const SUBPROTOCOL = "trio-stream.v1";

/** What the server says in text; bytes come as binary messages. */
export type ServerMessage =
  | { type: "start"; offset: number; end: number; size: number; content_type: string }
  | { type: "end"; offset: number }
  | { type: "error"; status: number; code: string; detail: string };

/** A message of the server; null for what this page does not know, which later servers may say. */
export function parseMessage(text: string): ServerMessage | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof message !== "object" || message === null || !("type" in message)) return null;
  return message.type === "start" || message.type === "end" || message.type === "error" ? (message as ServerMessage) : null;
}

/** A track, or tracks that come in one, as a source buffer takes it. */
export interface Track {
  id: number;
  kind: "video" | "audio";
  /** As `MediaSource.isTypeSupported` asks for it. */
  mime: string;
  codec: string;
  init: ArrayBuffer;
}

/** A part of a track that can be appended; `from` and `to` are seconds. */
export interface Segment {
  track: number;
  from: number;
  to: number;
  /** When its last sync sample is shown, in seconds, or somewhat before; null where it has none. */
  sync: number | null;
  data: ArrayBuffer;
}

export type Problem =
  | { kind: "container" }
  | { kind: "index"; detail: string }
  | { kind: "codec"; of: "video" | "audio"; codec: string }
  | { kind: "media"; detail: string }
  /** A fragment of so many bytes is more than browsers keep. */
  | { kind: "fragment"; size: number }
  | { kind: "server"; detail: string };

export type ToWorker =
  | { kind: "open"; url: string }
  | { kind: "take"; tracks: number[]; time: number }
  | { kind: "seek"; time: number; epoch: number }
  /** Where the video stands, in seconds. */
  | { kind: "at"; time: number }
  /** Somebody wants the server to wait, or to go on. */
  | { kind: "hold"; on: boolean };

export type FromWorker =
  | { kind: "tracks"; tracks: Track[]; duration: number | null }
  | { kind: "segment"; epoch: number; segment: Segment }
  /** All there is of the tracks went, since the last seek. */
  | { kind: "done"; epoch: number }
  | { kind: "flow"; received: number; held: boolean; open: boolean }
  | { kind: "opened" }
  /** `normal` when the server had sent everything. */
  | { kind: "closed"; code: number; reason: string; normal: boolean }
  | { kind: "problem"; problem: Problem };
