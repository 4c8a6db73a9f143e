/** The worker's own words: what it hears goes to the session, and how things are is told four times a second. */

import type { FromWorker, ToWorker } from "./messages";
import { Session } from "./session";

// The types of a page know a worker's `self` as a window.
const port = self as unknown as {
  postMessage: (message: FromWorker, moved: Transferable[]) => void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

const session = new Session((message, moved = []) => port.postMessage(message, moved));
port.onmessage = ({ data }) => session.handle(data);
setInterval(() => port.postMessage(session.flow(), []), 250);
