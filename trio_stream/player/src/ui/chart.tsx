/** An area chart of one figure over time, with the current value above it and other values in a tooltip. */

import { type ReactNode, useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useI18n } from "../i18n";
import { extremes, scaleTop } from "./chart-scale";
import "./chart.css";

const EDGE = 12; // pixels to the right of the last value, for the dot at the end of the line

const LABEL_WIDTH = 60; // pixels of a time label

export type Tone = "violet" | "teal" | "amber" | "rose";

interface ChartProps {
  label: string;
  /** The current value, formatted. */
  figure: ReactNode;
  note?: ReactNode;
  tone: Tone;
  /** Milliseconds since the epoch, ascending, and a value for each; null in a gap. */
  times: readonly number[];
  values: readonly (number | null)[];
  /** The time range of the chart in milliseconds, up to the last of `times`. */
  span: number;
  /** The smallest upper end of the scale. */
  least: number;
  format: (value: number) => string;
  /** Draw steps: each value holds until the next one. */
  stepped?: boolean;
  /** Charts of the same group show their tooltips for the same time. */
  group?: string;
  className?: string;
}

interface Colours {
  line: string;
  grid: string;
  text: string;
  background: string;
}

/** The colours of the stylesheet, which may use `light-dark()`, in a form that a canvas supports. */
function coloursOf(element: HTMLElement): Colours {
  const { color, borderTopColor, outlineColor, backgroundColor } = getComputedStyle(element);
  return { line: color, grid: borderTopColor, text: outlineColor, background: backgroundColor };
}

/** A computed colour with an alpha value from 0 to 1. */
export function faint(colour: string, alpha: number): string {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

/** Calls `changed` when the page switches between light and dark. */
function onTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", changed);
  };
}

export function Chart(shown: ChartProps) {
  const { label, figure, note, tone, times, values, span, format, stepped = false, group, className } = shown;
  const { t, language } = useI18n();
  const plot = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const latest = useRef(shown); // for callbacks that draw later
  const latestLanguage = useRef(language);
  latest.current = shown;
  latestLanguage.current = language;

  useEffect(() => {
    const [frame, area, bubble] = [plot.current, canvas.current, tip.current];
    if (frame === null || area === null || bubble === null) return;
    let colours = coloursOf(frame);
    const paths = stepped ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.spline?.();
    const drawn = new uPlot(
      {
        width: area.clientWidth,
        height: area.clientHeight,
        padding: [6, 0, 0, 0],
        ms: 1,
        legend: { show: false },
        cursor: {
          y: false,
          drag: { setScale: false, x: false, y: false },
          points: { size: 9, width: 0 },
          ...(group === undefined ? {} : { sync: { key: group } }),
        },
        scales: {
          x: { time: true, range: (self) => rangeOf(latest.current, self.width) },
          y: { range: () => [0, scaleTop(latest.current.values, latest.current.least)] },
        },
        axes: [
          {
            size: 24,
            gap: 4,
            space: 84, // pixels between two time labels
            font: `12px ${getComputedStyle(frame).fontFamily}`,
            stroke: () => colours.text,
            grid: { show: false },
            ticks: { show: false },
            values: (self, splits) =>
              splits.map((each) => {
                const position = self.valToPos(each, "x");
                const whole = position > LABEL_WIDTH / 2 && position < self.width - LABEL_WIDTH / 2;
                return whole ? formatTime(latestLanguage.current, each, span <= 120_000 ? "short" : "minutes") : "";
              }),
          },
          {
            size: 0,
            gap: 0,
            splits: (_, __, ___, high) => [high / 2, high],
            stroke: () => colours.text,
            grid: { stroke: () => colours.grid, width: 1, dash: [3, 4] },
            ticks: { show: false },
            values: () => [],
          },
        ],
        series: [
          {},
          {
            stroke: () => colours.line,
            width: 2,
            points: { show: false },
            ...(paths === undefined ? {} : { paths }),
            fill: (self) => {
              const { top: above, height } = self.bbox;
              const gradient = self.ctx.createLinearGradient(0, above, 0, above + height);
              gradient.addColorStop(0, faint(colours.line, 0.42));
              gradient.addColorStop(1, faint(colours.line, 0.03));
              return gradient;
            },
          },
        ],
        hooks: {
          draw: [
            (self) => drawHeights(self, colours, latest.current.format),
            (self) => drawNow(self, colours),
          ],
          setCursor: [(self) => showTooltip(self, bubble, latest.current, latestLanguage.current)],
        },
      },
      [[], []],
      area,
    );
    chart.current = drawn;
    const observer = new ResizeObserver(() => {
      if (area.clientWidth > 0) drawn.setSize({ width: area.clientWidth, height: area.clientHeight });
    });
    observer.observe(area);
    const stopWatching = onTheme(() => {
      colours = coloursOf(frame);
      drawn.redraw(false);
    });
    return () => {
      stopWatching();
      observer.disconnect();
      drawn.destroy();
      chart.current = null;
    };
  }, [group, stepped, span]);

  useEffect(() => {
    chart.current?.setData([times as number[], values as (number | null)[]]);
  }, [times, values, language, span, stepped, group]);

  const found = extremes(values);
  const words =
    found === null
      ? t("chart.nothing", { label })
      : t("chart.words", {
          label,
          now: format(found.last),
          lowest: format(found.lowest),
          highest: format(found.highest),
        });
  return (
    <figure className={["chart", `tone-${tone}`, className].filter(Boolean).join(" ")}>
      <figcaption>
        <span className="chart-label">{label}</span>
        <span className="chart-figure">{figure}</span>
        {note !== undefined && <span className="chart-note">{note}</span>}
      </figcaption>
      <div ref={plot} className="chart-plot" role="img" aria-label={words}>
        <div ref={canvas} className="chart-canvas" />
        <div ref={tip} className="chart-tip" hidden />
      </div>
    </figure>
  );
}

function rangeOf({ times, span }: ChartProps, width: number): [number, number] {
  const last = times.at(-1) ?? Date.now();
  return [last - span, last + (span * EDGE) / Math.max(width, 100)];
}

const PRECISIONS = {
  minutes: { hour: "2-digit", minute: "2-digit" },
  short: { minute: "2-digit", second: "2-digit" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

function formatTime(language: string, time: number, precision: keyof typeof PRECISIONS): string {
  return new Intl.DateTimeFormat(language, PRECISIONS[precision]).format(time);
}

/** Draws the labels of the horizontal lines inside the chart, because its area reaches from edge to edge. */
function drawHeights(self: uPlot, colours: Colours, format: (value: number) => string): void {
  const { ctx, bbox } = self;
  const high = self.scales.y?.max;
  if (high == null) return;
  ctx.save();
  ctx.font = `${12 * uPlot.pxRatio}px ${getComputedStyle(self.root).fontFamily}`;
  ctx.fillStyle = colours.text;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.strokeStyle = faint(colours.background, 0.8); // an outline, so that a line behind the text does not cross it out
  ctx.lineWidth = 4 * uPlot.pxRatio;
  ctx.lineJoin = "round";
  for (const value of bbox.height / uPlot.pxRatio < 90 ? [high] : [high / 2, high]) {
    const position = [bbox.left + 18 * uPlot.pxRatio, self.valToPos(value, "y", true) + 4 * uPlot.pxRatio] as const;
    ctx.strokeText(format(value), ...position);
    ctx.fillText(format(value), ...position);
  }
  ctx.restore();
}

/** Draws a dot at the end of the line, the current value. */
function drawNow(self: uPlot, colours: Colours): void {
  const [times, values] = self.data;
  const [time, value] = [times.at(-1), values?.at(-1)];
  if (time === undefined || value == null) return;
  const { ctx } = self;
  const ratio = uPlot.pxRatio;
  const x = self.valToPos(time, "x", true);
  const y = self.valToPos(value, "y", true);
  ctx.save();
  for (const [radius, alpha] of [
    [9, 0.22],
    [4, 1],
  ] as const) {
    ctx.fillStyle = faint(colours.line, alpha);
    ctx.beginPath();
    ctx.arc(x, y, radius * ratio, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

/** Shows value and time under the pointer in `bubble`, next to it. */
function showTooltip(self: uPlot, bubble: HTMLElement, { times, values, format }: ChartProps, language: string): void {
  const { idx, left = -1 } = self.cursor;
  const value = idx == null ? null : values[idx];
  const time = idx == null ? undefined : times[idx];
  bubble.hidden = left < 0 || value == null || time === undefined;
  if (bubble.hidden || value == null || time === undefined) return;
  const strong = document.createElement("strong");
  strong.textContent = format(value);
  bubble.replaceChildren(strong, formatTime(language, time, "seconds"));
  const width = bubble.offsetWidth;
  const position = left + 14 + width > self.width ? left - 14 - width : left + 14;
  bubble.style.transform = `translateX(${Math.max(4, position)}px)`;
}

