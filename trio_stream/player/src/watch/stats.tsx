/** What happens behind the picture. */

import { useEffect, useState } from "react";
import type { VideoDetails } from "../api/client";
import { useTexts } from "../i18n";
import { bitsPerSecond } from "../ui/format";
import type { Delivery } from "./delivery";
import { Rows } from "./rows";

export interface Measured {
  firstPicture: number | null;
  stalls: number;
}

/** Milliseconds from `since` to the first picture of `source`, and how often the video stood still since. */
export function useMeasured(video: HTMLVideoElement | null, source: string, since: number): Measured {
  const [measured, setMeasured] = useState<Measured>({ firstPicture: null, stalls: 0 });
  useEffect(() => {
    if (video === null) return;
    const ending = new AbortController();
    setMeasured({ firstPicture: null, stalls: 0 });
    const shown = () => {
      setMeasured((before) => ({ ...before, firstPicture: performance.now() - since }));
      performance.measure("first-picture", { start: since, end: performance.now() });
    };
    const handle = video.requestVideoFrameCallback?.(shown);
    if (handle === undefined) video.addEventListener("loadeddata", shown, { once: true, signal: ending.signal });
    let playing = false;
    video.addEventListener("playing", () => (playing = true), { signal: ending.signal });
    video.addEventListener(
      "waiting",
      () => {
        if (playing && !video.seeking) setMeasured((before) => ({ ...before, stalls: before.stalls + 1 }));
      },
      { signal: ending.signal },
    );
    return () => {
      ending.abort();
      if (handle !== undefined) video.cancelVideoFrameCallback(handle);
    };
  }, [video, source, since]);
  return measured;
}

/** Seconds of the video that have arrived beyond where it stands. */
export function ahead(video: HTMLVideoElement): number {
  const { buffered, currentTime } = video;
  for (let place = 0; place < buffered.length; place += 1)
    if (buffered.start(place) <= currentTime + 0.1 && buffered.end(place) >= currentTime)
      return buffered.end(place) - currentTime;
  return 0;
}

interface Shown {
  video: HTMLVideoElement;
  details: VideoDetails;
  measured: Measured;
  delivery: Delivery;
}

export function Stats({ video, details, measured, delivery }: Shown) {
  const { t, language } = useTexts();
  const [, look] = useState(0);
  const [rate, setRate] = useState(0);
  const average = details.duration ? (details.size * 8) / details.duration : 0;
  useEffect(() => {
    let before = ahead(video) + video.currentTime;
    let when = performance.now();
    const timer = setInterval(() => {
      const now = ahead(video) + video.currentTime;
      const since = (performance.now() - when) / 1000;
      setRate(Math.max(0, ((now - before) / since) * average));
      [before, when] = [now, performance.now()];
      look((count) => count + 1);
    }, 1000);
    return () => clearInterval(timer);
  }, [video, average]);
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
    [t("stats.buffer"), `${ahead(video).toFixed(1)} s`],
    [t("stats.dropped"), quality ? `${quality.droppedVideoFrames} / ${quality.totalVideoFrames}` : "–"],
    [t("stats.stalls"), String(measured.stalls)],
    [t("stats.first"), measured.firstPicture === null ? "–" : `${Math.round(measured.firstPicture)} ms`],
    [t("stats.delivery"), delivery.kind === "direct" ? t("stats.direct") : t(`stats.packaged.${delivery.why}`)],
  ];
  return <Rows className="stats" rows={rows} />;
}
