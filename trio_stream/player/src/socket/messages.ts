/** The messages between server and worker (over the WebSocket), and between worker and page. */

export const SUBPROTOCOL = "trio-stream.v1";

/** A text message of the server. The bytes of the file come in binary messages. */
export type ServerMessage =
  | { type: "start"; offset: number; end: number; size: number; content_type: string }
  | { type: "end"; offset: number }
  | { type: "error"; status: number; code: string; detail: string };

/** Parses a text message of the server; null for unknown types, which later servers may send. */
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

/** One track, or several multiplexed tracks, for one source buffer. */
export interface Track {
  id: number;
  kind: "video" | "audio";
  /** In the form that `MediaSource.isTypeSupported` expects. */
  mime: string;
  codec: string;
  init: ArrayBuffer;
}

/** A part of a track that can be appended; `from` and `to` are in seconds. */
export interface Segment {
  track: number;
  from: number;
  to: number;
  /** The presentation time of its last sync sample in seconds, or a little earlier; null if it has none. */
  sync: number | null;
  data: ArrayBuffer;
}

export type Problem =
  | { kind: "container" }
  | { kind: "index"; detail: string }
  | { kind: "codec"; of: "video" | "audio"; codec: string }
  | { kind: "media"; detail: string }
  /** A fragment of `size` bytes is more than browsers buffer. */
  | { kind: "fragment"; size: number }
  | { kind: "server"; detail: string };

export type ToWorker =
  | { kind: "open"; url: string }
  | { kind: "take"; tracks: number[]; time: number }
  | { kind: "seek"; time: number; epoch: number }
  /** The current time of the video, in seconds. */
  | { kind: "at"; time: number }
  /** The viewer pauses or resumes the transfer. */
  | { kind: "hold"; on: boolean };

export type FromWorker =
  | { kind: "tracks"; tracks: Track[]; duration: number | null }
  | { kind: "segment"; epoch: number; segment: Segment }
  /** All segments since the last seek have been posted. */
  | { kind: "done"; epoch: number }
  | { kind: "flow"; received: number; held: boolean; open: boolean }
  | { kind: "opened" }
  /** `normal` if the server had sent everything. */
  | { kind: "closed"; code: number; reason: string; normal: boolean }
  | { kind: "problem"; problem: Problem };
