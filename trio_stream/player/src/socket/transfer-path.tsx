/** The path of the bytes from server to screen: how much each step holds, and the state of the transfer. */

import type { ReactNode } from "react";
import { useI18n, type MessageKey } from "../i18n";
import type { Row } from "../live/stream-rows";
import { bytes, clock } from "../ui/format";
import { Icon, type IconName } from "../ui/icons";
import { TARGET } from "./buffer-policy";
import type { Status } from "./playback";
import type { TransferState } from "./throughput";

const WORDS: Record<TransferState, MessageKey> = {
  connecting: "socket.connecting",
  flowing: "socket.flowing",
  enough: "socket.held.enough",
  person: "socket.held.person",
  whole: "socket.whole",
  closed: "socket.closed",
};

interface Transfer {
  status: Status;
  state: TransferState;
  server: Row | null;
}

export function TransferPath({ status, state, server }: Transfer) {
  const { t, language } = useI18n();
  const seconds = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return (
    <ol className="stations" data-state={state} aria-label={t("socket.stations")}>
      <Step
        icon="server"
        name={t("socket.server")}
        value={server === null ? t("socket.gone") : t("socket.sent", { size: bytes(language, server.stream.bytes_sent) })}
      >
        {server !== null && t("socket.waits", { size: bytes(language, server.stream.buffered) })}
      </Step>
      <Step
        icon="plug"
        name={t("socket.socket")}
        value={
          <span className="word" role="status">
            {t(WORDS[state])}
          </span>
        }
      >
        {t("socket.arrived", { size: bytes(language, status.received) })}
      </Step>
      <Step
        icon="screen"
        name={t("socket.browser")}
        value={t("socket.ahead", { seconds: seconds.format(status.ahead) })}
      >
        <span className="gauge" aria-hidden="true">
          <span style={{ width: `${Math.min(1, status.ahead / TARGET) * 100}%` }} />
        </span>
      </Step>
    </ol>
  );
}

function Step({ icon, name, value, children }: { icon: IconName; name: string; value: ReactNode; children: ReactNode }) {
  return (
    <li>
      <span className="station-icon">
        <Icon name={icon} />
      </span>
      <div>
        <span className="station-name">{name}</span>
        <strong>{value}</strong>
        <span className="station-note">{children}</span>
      </div>
    </li>
  );
}

/** The buffered parts of the video, and the current time. */
export function BufferedRanges({ status }: { status: Status }) {
  const { t } = useI18n();
  const { ranges, time, duration } = status;
  if (duration <= 0) return null;
  const share = (seconds: number) => `${Math.min(100, Math.max(0, (seconds / duration) * 100))}%`;
  return (
    <figure className="kept">
      <div className="parts" aria-hidden="true">
        {ranges.map(([from, to]) => (
          <span key={from} style={{ left: share(from), width: share(to - from) }} />
        ))}
        <i style={{ left: share(time) }} />
      </div>
      <figcaption>
        {t("socket.parts", { parts: ranges.map(([from, to]) => `${clock(from)} – ${clock(to)}`).join(", ") || "–" })}
      </figcaption>
    </figure>
  );
}
