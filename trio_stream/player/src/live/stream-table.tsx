/** The streams as a table, or as one card per stream on a narrow screen. */

import { useI18n } from "../i18n";
import { bitsPerSecond, bytes, clock } from "../ui/format";
import { Icon } from "../ui/icons";
import { type Row, sentFraction } from "./stream-rows";

export function StreamTable({ rows, stop }: { rows: readonly Row[]; stop: (id: string) => void }) {
  const { t } = useI18n();
  return (
    // Explicit roles, because some browsers do not treat a table with a different layout as a table.
    <table className="streams" role="table" aria-labelledby="live-watching">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader">{t("live.video")}</th>
          <th role="columnheader">{t("live.who")}</th>
          <th role="columnheader">{t("live.how")}</th>
          <th role="columnheader" className="number">{t("live.sent")}</th>
          <th role="columnheader" className="number">{t("live.rate")}</th>
          <th role="columnheader" className="number">{t("live.buffer")}</th>
          <th role="columnheader" className="number">{t("live.age")}</th>
          <th role="columnheader">
            <span className="hidden">{t("live.stop")}</span>
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <StreamRow key={row.stream.id} row={row} stop={stop} />
        ))}
      </tbody>
    </table>
  );
}

function StreamRow({ row: { stream, rate }, stop }: { row: Row; stop: (id: string) => void }) {
  const { t, language } = useI18n();
  const slash = stream.name.lastIndexOf("/");
  const [folder, name] = [stream.name.slice(0, Math.max(0, slash)), stream.name.slice(slash + 1)];
  return (
    <tr role="row">
      <th role="rowheader" scope="row" className="what">
        <strong>{name}</strong>
        {folder !== "" && <span className="quiet">{folder}</span>}
      </th>
      <td role="cell" data-label={t("live.who")} className="who">
        {stream.owner}
      </td>
      <td role="cell" data-label={t("live.how")}>
        <span className={`transport ${stream.transport}`}>
          {stream.transport === "websocket" ? "WebSocket" : "HTTP"}
        </span>
      </td>
      <td role="cell" data-label={t("live.sent")} className="number">
        {bytes(language, stream.bytes_sent)}
        <span className="gone" aria-hidden="true">
          <span style={{ width: `${sentFraction(stream) * 100}%` }} />
        </span>
      </td>
      <td role="cell" data-label={t("live.rate")} className="number">
        {rate === null ? "–" : bitsPerSecond(language, rate * 8)}
      </td>
      <td role="cell" data-label={t("live.buffer")} className="number">
        {bytes(language, stream.buffered)}
      </td>
      <td role="cell" data-label={t("live.age")} className="number">
        {clock(stream.age)}
      </td>
      <td role="cell" className="act">
        <button
          type="button"
          className="button danger"
          aria-label={t("live.stop.of", { name, owner: stream.owner })}
          onClick={() => stop(stream.id)}
        >
          <Icon name="stop" />
          {t("live.stop")}
        </button>
      </td>
    </tr>
  );
}
