/** Plays a video over a WebSocket and shows how its bytes arrive. */

import { useQuery } from "@tanstack/react-query";
import { Video } from "@videojs/react/video";
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { isGone, type VideoDetails } from "../api/client";
import { useMay, video as videoOf } from "../api/queries";
import { useI18n } from "../i18n";
import { useLive } from "../live/feed";
import { Chart } from "../ui/chart";
import { bitsPerSecond, bytes, clock } from "../ui/format";
import { Icon } from "../ui/icons";
import { NoVideo, PageMessage } from "../ui/page-message";
import { Skin } from "../ui/skin";
import type { Problem } from "./messages";
import { type Closed, initialStatus, Playback, type Status } from "./playback";
import "./socket.css";
import { MINUTE, ownStream, transferState, useThroughput } from "./throughput";
import { BufferedRanges, TransferPath } from "./transfer-path";

const MEGABIT = 1_000_000;

export default function SocketPage({ id }: { id: string }) {
  const { t } = useI18n();
  const query = useQuery({ ...videoOf(id), refetchOnWindowFocus: false });
  const details = query.data;
  useEffect(() => {
    if (details !== undefined) document.title = `${details.title} · ${t("socket.title")} · Trio Stream`;
  }, [details, t]);
  if (query.isError && (details === undefined || isGone(query.error)))
    return <NoVideo error={query.error} retry={() => void query.refetch()} />;
  if (details === undefined) return <div className="socket" aria-hidden="true" />;
  if (!("MediaSource" in window)) return <NotPlayable id={id} reason={t("socket.nomse")} />;
  return <SocketPlayer key={details.id} details={details} />;
}

function SocketPlayer({ details }: { details: VideoDetails }) {
  const { t, language } = useI18n();
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  const [playback, status] = usePlayback(details, video);
  const throughput = useThroughput(status.received);
  const live = useLive(useMay("operate") === true);
  const age = useAge(status.open);
  const server = status.open ? ownStream(live.rows, details.name, age()) : null;
  const state = transferState(status);
  if (status.problem !== null) {
    const { problem } = status;
    const detail = "detail" in problem ? problem.detail : "";
    return <NotPlayable id={details.id} reason={t(...problemText(problem, language))} detail={detail} />;
  }
  const lost = status.closed !== null && !status.closed.normal ? status.closed : null;
  return (
    <article className="socket">
      <header>
        <h1>{details.title}</h1>
        <p>{t("socket.about")}</p>
      </header>
      <div className="shown">
        <div className="screen" data-arrows="own">
          {playback !== null && (
            <Skin>
              <Video
                ref={setVideo}
                src={playback.source}
                poster={details.poster ?? undefined}
                autoPlay
                playsInline
                preload="auto"
              />
            </Skin>
          )}
          {lost !== null && <ConnectionLost closed={lost} again={() => playback?.reconnect()} />}
          {lost === null && status.until !== null && <BufferFull id={details.id} until={status.until} time={status.time} />}
        </div>
        <BufferedRanges status={status} />
      </div>
      <aside className="beside-screen" aria-label={t("socket.title")}>
        <TransferPath status={status} state={state} server={server} />
        <Chart
          tone="teal"
          label={t("socket.arriving")}
          figure={bitsPerSecond(language, throughput.values.at(-1) ?? 0)}
          times={throughput.times}
          values={throughput.values}
          span={MINUTE}
          least={MEGABIT}
          format={(value) => bitsPerSecond(language, value)}
        />
        <div className="actions">
          <button
            type="button"
            className="button first"
            disabled={!status.open}
            aria-pressed={status.byViewer}
            onClick={() => playback?.hold(!status.byViewer)}
          >
            <Icon name={status.byViewer ? "play" : "pause"} />
            {status.byViewer ? t("socket.resume") : t("socket.pause")}
          </button>
          <Link className="button" href={`/watch/${details.id}`}>
            {t("socket.usual")}
          </Link>
        </div>
      </aside>
    </article>
  );
}

function usePlayback(details: VideoDetails, video: HTMLVideoElement | null): [Playback | null, Status] {
  const [playback, setPlayback] = useState<Playback | null>(null);
  const [status, setStatus] = useState(initialStatus);
  const { websocket } = details.urls;
  const { duration } = details;
  useEffect(() => {
    const url = new URL(websocket, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const created = new Playback(url.href, duration, setStatus);
    setPlayback(created);
    return () => {
      created.close();
      setPlayback(null);
      setStatus(initialStatus);
    };
  }, [websocket, duration]);
  useEffect(() => {
    if (video !== null) playback?.attach(video);
  }, [playback, video]);
  return [playback, status];
}

/** Seconds since `open` last changed. */
function useAge(open: boolean): () => number {
  const since = useRef(0);
  useEffect(() => {
    since.current = performance.now();
  }, [open]);
  return () => (performance.now() - since.current) / 1_000;
}

function problemText(problem: Problem, language: string): Parameters<ReturnType<typeof useI18n>["t"]> {
  switch (problem.kind) {
    case "container":
      return ["socket.unsupported"];
    case "codec":
      return [`watch.unplayable.${problem.of}`, { codec: problem.codec }];
    case "index":
      return ["socket.index"];
    case "media":
      return ["socket.media"];
    case "fragment":
      return ["socket.fragment", { size: bytes(language, problem.size) }];
    case "server":
      return ["socket.refused"];
  }
}

/** `detail` is more about the reason, in English. */
function NotPlayable({ id, reason, detail = "" }: { id: string; reason: string; detail?: string }) {
  const { t } = useI18n();
  return (
    <PageMessage
      alert
      icon="broken"
      title={t("socket.cannot")}
      actions={
        <Link className="button first" href={`/watch/${id}`}>
          {t("socket.usual")}
        </Link>
      }
    >
      <p>{reason}</p>
      {detail !== "" && (
        <p>
          <q lang="en">{detail}</q>
        </p>
      )}
    </PageMessage>
  );
}

/** Shown when the rest of a GOP does not fit into the browser's buffer: the video continues on the other page. */
function BufferFull({ id, until, time }: { id: string; until: number; time: number }) {
  const { t } = useI18n();
  return (
    <div className="socket-lost" role="alert">
      <p>{t("socket.full", { time: clock(until) })}</p>
      <Link className="button" href={`/watch/${id}?t=${Math.floor(time)}`}>
        {t("socket.usual")}
      </Link>
    </div>
  );
}

function ConnectionLost({ closed, again }: { closed: Closed; again: () => void }) {
  const { t } = useI18n();
  return (
    <div className="socket-lost" role="alert">
      <p>{closed.reason === "" ? t("socket.lost") : t("socket.lost.why", { reason: closed.reason })}</p>
      <button type="button" className="button" onClick={again}>
        <Icon name="replay" />
        {t("socket.again")}
      </button>
    </div>
  );
}
