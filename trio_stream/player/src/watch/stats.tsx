/** Playback statistics over the video. */

import { useEffect, useState } from "react";
import type { VideoDetails } from "../api/client";
import { useI18n } from "../i18n";
import { bitsPerSecond } from "../ui/format";
import type { Delivery } from "./delivery";
import { Rows } from "./rows";

export interface Measurements {
  firstFrame: number | null;
  stalls: number;
}

/** Milliseconds from `since` to the first frame of `source`, and the number of stalls since. */
export function useMeasured(video: HTMLVideoElement | null, source: string, since: number): Measurements {
  const [measured, setMeasured] = useState<Measurements>({ firstFrame: null, stalls: 0 });
  useEffect(() => {
    if (video === null) return;
    const controller = new AbortController();
    setMeasured({ firstFrame: null, stalls: 0 });
    const shown = () => {
      setMeasured((before) => ({ ...before, firstFrame: performance.now() - since }));
      performance.measure("first-frame", { start: since, end: performance.now() });
    };
    const handle = video.requestVideoFrameCallback?.(shown);
    if (handle === undefined) video.addEventListener("loadeddata", shown, { once: true, signal: controller.signal });
    let playing = false;
    video.addEventListener("playing", () => (playing = true), { signal: controller.signal });
    video.addEventListener(
      "waiting",
      () => {
        if (playing && !video.seeking) setMeasured((before) => ({ ...before, stalls: before.stalls + 1 }));
      },
      { signal: controller.signal },
    );
    return () => {
      controller.abort();
      if (handle !== undefined) video.cancelVideoFrameCallback(handle);
    };
  }, [video, source, since]);
  return measured;
}

/** Seconds that are buffered after the current position. */
export function secondsAhead(video: HTMLVideoElement): number {
  const { buffered, currentTime } = video;
  for (let index = 0; index < buffered.length; index += 1)
    if (buffered.start(index) <= currentTime + 0.1 && buffered.end(index) >= currentTime)
      return buffered.end(index) - currentTime;
  return 0;
}

interface Props {
  video: HTMLVideoElement;
  details: VideoDetails;
  measured: Measurements;
  delivery: Delivery;
}

export function Stats({ video, details, measured, delivery }: Props) {
  const { t, language } = useI18n();
  const [, rerender] = useState(0);
  const [rate, setRate] = useState(0);
  const average = details.duration ? (details.size * 8) / details.duration : 0;
  useEffect(() => {
    let before = secondsAhead(video) + video.currentTime;
    let when = performance.now();
    const timer = setInterval(() => {
      const now = secondsAhead(video) + video.currentTime;
      const since = (performance.now() - when) / 1000;
      setRate(Math.max(0, ((now - before) / since) * average));
      [before, when] = [now, performance.now()];
      rerender((count) => count + 1);
    }, 1000);
    return () => clearInterval(timer);
  }, [video, average]);
  const decimal = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const quality = video.getVideoPlaybackQuality?.();
  const ratio = window.devicePixelRatio;
  const codecs = [details.facts?.video[0], details.facts?.audio[0]]
    .map((track) => track?.codec_string ?? track?.codec)
    .filter(Boolean);
  const rows: [string, string][] = [
    [t("stats.video"), `${video.videoWidth} × ${video.videoHeight}`],
    [t("stats.viewport"), `${Math.round(video.clientWidth * ratio)} × ${Math.round(video.clientHeight * ratio)}`],
    [t("stats.codecs"), codecs.join(", ") || "–"],
    [t("stats.bitrate"), average ? bitsPerSecond(language, average) : "–"],
    [t("stats.rate"), bitsPerSecond(language, rate)],
    [t("stats.buffer"), `${decimal.format(secondsAhead(video))} s`],
    [t("stats.dropped"), quality ? `${quality.droppedVideoFrames} / ${quality.totalVideoFrames}` : "–"],
    [t("stats.stalls"), String(measured.stalls)],
    [t("stats.first"), measured.firstFrame === null ? "–" : `${Math.round(measured.firstFrame)} ms`],
    [t("stats.delivery"), delivery.kind === "direct" ? t("stats.direct") : t(`stats.packaged.${delivery.why}`)],
  ];
  return <Rows className="stats" rows={rows} />;
}
