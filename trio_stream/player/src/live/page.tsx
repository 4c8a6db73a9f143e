/** The operator's page: current state of the server, charts of the last ten minutes, and all streams. */

import { useEffect, useMemo } from "react";
import { useMay } from "../api/queries";
import { useI18n } from "../i18n";
import { Chart } from "../ui/chart";
import { bitsPerSecond, bytes, span } from "../ui/format";
import { Icon } from "../ui/icons";
import { LibraryLink, PageMessage } from "../ui/page-message";
import { type Live, useLive } from "./feed";
import "./live.css";
import { chartSpan, movingAverage } from "./samples";
import { useStopStream } from "./stop-stream";
import { StreamTable } from "./stream-table";

const MEGABYTE = 1_000_000;

export default function LivePage() {
  const { t } = useI18n();
  const operates = useMay("operate");
  if (operates === undefined) return null; // for a moment
  if (!operates)
    return (
      <PageMessage icon="pulse" title={t("live.notAllowed")} actions={<LibraryLink />}>
        <p>{t("live.notAllowed.more")}</p>
      </PageMessage>
    );
  return <LiveView />;
}

function LiveView() {
  const { t } = useI18n();
  const live = useLive();
  const { rows, stop, failed } = useStopStream(live.rows);
  useEffect(() => {
    document.title = `${t("live")} · Trio Stream`;
  }, [t]);
  return (
    <div className="live" data-connected={live.connected}>
      <Header live={live} />
      <Charts live={live} />
      <section aria-labelledby="live-watching">
        <h2 id="live-watching">
          {t("live.now")}
          {live.everConnected && <span className="tally">{rows.length}</span>}
        </h2>
        {rows.length > 0 ? (
          <StreamTable rows={rows} stop={stop} />
        ) : (
          live.everConnected && (
            <div className="nobody">
              <Icon name="film" />
              <p>
                <strong>{t("live.nobody")}</strong>
                {t("live.nobody.more")}
              </p>
            </div>
          )
        )}
      </section>
      {failed !== null && (
        <p className="toast" role="alert">
          {t("live.stop.failed", { reason: failed })}
        </p>
      )}
    </div>
  );
}

function Header({ live: { connected, everConnected, totals } }: { live: Live }) {
  const { t, language } = useI18n();
  return (
    <header className="live-head">
      <h1>{t("live")}</h1>
      <p className="pill" role="status" data-connected={connected}>
        {connected ? t("live.connected") : everConnected ? t("live.lost") : t("live.connecting")}
      </p>
      {totals !== null && (
        <p className="totals">
          <span>{t("live.uptime", { time: span(language, totals.uptime_seconds) })}</span>
          <span>{t("live.sentAll", { size: bytes(language, totals.bytes_sent) })}</span>
        </p>
      )}
    </header>
  );
}

function Charts({ live: { samples, totals } }: { live: Live }) {
  const { t, language } = useI18n();
  const { times, memory, streams } = samples;
  const cpu = useMemo(() => movingAverage(samples.cpu), [samples]);
  const bits = useMemo(() => movingAverage(samples.bytes_per_second).map((each) => each && each * 8), [samples]);
  const percent = (value: number) =>
    new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: value < 10 ? 1 : 0 }).format(value / 100);
  const rate = (value: number) => bitsPerSecond(language, value);
  const size = (value: number) => bytes(language, value);
  const whole = (value: number) => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
  const last = (column: readonly (number | null)[], format: (value: number) => string) => {
    const value = column.at(-1);
    return value == null ? "–" : format(value);
  };
  const common = { times, span: chartSpan(samples), group: "live" };
  return (
    <section className="charts" aria-label={t("live.charts")}>
      <Chart
        {...common}
        tone="violet"
        label={t("live.throughput")}
        figure={last(bits, rate)}
        values={bits}
        least={MEGABYTE}
        format={rate}
      />
      <Chart
        {...common}
        tone="teal"
        label={t("live.cpu")}
        figure={last(cpu, percent)}
        note={t("live.ofOne")}
        values={cpu}
        least={10}
        format={percent}
      />
      <Chart
        {...common}
        tone="rose"
        label={t("live.memory")}
        figure={last(memory, size)}
        values={memory}
        least={50 * MEGABYTE}
        format={size}
      />
      <Chart
        {...common}
        tone="amber"
        label={t("live.streams")}
        figure={last(streams, whole)}
        note={totals === null ? undefined : t("live.limit", { count: totals.max_streams })}
        values={streams}
        least={4}
        format={whole}
        stepped
      />
    </section>
  );
}
