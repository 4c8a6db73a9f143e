/** Entry point of the worker: passes messages to the session and posts the state of the transfer 4 times per second. */

import type { FromWorker, ToWorker } from "./messages";
import { Session } from "./session";

// The types for pages declare `self` as a window.
const port = self as unknown as {
  postMessage: (message: FromWorker, moved: Transferable[]) => void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

const session = new Session((message, moved = []) => port.postMessage(message, moved));
port.onmessage = ({ data }) => session.handle(data);
setInterval(() => port.postMessage(session.flow(), []), 250);
