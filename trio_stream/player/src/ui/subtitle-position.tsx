/** Moves subtitles away from the controls while these are visible: up from the bottom, down from the top. */

import { useContainer } from "@videojs/react";
import { useEffect } from "react";

/** Height of a line, as a fraction of the shorter side of the video: browsers use a font size of 5% of it. */
const LINE_HEIGHT = 0.06;

/** Browsers with this selector move all cues at once, also those at the top: see skin.css. */
const LIFTS = "selector(video::-webkit-media-text-track-container)";

export interface CuePosition {
  line: number | "auto";
  snapToLines: boolean;
}

/**
 * New positions of cues; null if a cue stays. `lines` is the number of text lines of a cue, `shift` the fraction of the
 * video (0 to 1) that is covered at the top, and `line` the height of a line as a fraction. Cues with a line number from
 * the top are stacked, as browsers do; cues with a position in percent all move together.
 */
export function movedSubtitles(
  cues: readonly (CuePosition & { lines: number })[],
  shift: number,
  line: number,
): (CuePosition | null)[] {
  let used = 0;
  return cues.map((cue) => {
    if (cue.line === "auto" || cue.line < 0) return null;
    // Browsers apply a position in percent at once, but a line number only when another cue appears.
    if (!cue.snapToLines) return { line: Math.min(100, shift * 100 + cue.line * (1 - shift)), snapToLines: false };
    if (cue.line * line >= 0.5) return null;
    const first = Math.max(cue.line, used);
    used = first + cue.lines;
    return { line: Math.min(100, (shift + first * line) * 100), snapToLines: false };
  });
}

/** Moves cues while the controls of the surrounding skin are visible. */
export function SubtitlePosition() {
  const container = useContainer();
  useEffect(() => {
    const video = container?.querySelector("video");
    if (container === null || video == null) return;
    const moved = new Map<VTTCue, CuePosition>();
    const restore = () => {
      for (const [cue, position] of moved) Object.assign(cue, position);
      moved.clear();
    };
    const update = () => {
      if (!container.hasAttribute("data-controls-visible")) {
        restore();
        return;
      }
      const { top, width, height } = container.getBoundingClientRect();
      const up = Number.parseFloat(getComputedStyle(container).getPropertyValue("--media-caption-controls-y"));
      const lift = CSS.supports(LIFTS) ? -(up || 0) : 0;
      const above = container.querySelector(".above > a")?.getBoundingClientRect();
      const covered = Math.max(0, (above?.bottom ?? top) - top);
      if (height <= 0) return;
      const cues = [...video.textTracks]
        .filter((track) => track.mode === "showing")
        .flatMap((track) => [...(track.activeCues ?? [])])
        .filter((cue) => cue instanceof VTTCue && cue.vertical === "") as VTTCue[];
      const original = cues.map((cue) => {
        const { line, snapToLines } = moved.get(cue) ?? cue;
        return { line, snapToLines, lines: cue.text.split("\n").length };
      });
      const positions = movedSubtitles(original, (covered + lift) / height, (LINE_HEIGHT * Math.min(width, height)) / height);
      for (const [number, cue] of cues.entries()) {
        const [position, before] = [positions[number], original[number]];
        // Do not set a correct position again: a changed cue counts as a new one, which would call this function again.
        if (position == null || before === undefined || cue.line === position.line) continue;
        moved.set(cue, { line: before.line, snapToLines: before.snapToLines });
        Object.assign(cue, position);
      }
    };
    const observer = new MutationObserver(update);
    observer.observe(container, { attributes: true, attributeFilter: ["data-controls-visible"] });
    const abort = new AbortController();
    const follow = () => {
      for (const track of video.textTracks) track.addEventListener("cuechange", update, { signal: abort.signal });
      update();
    };
    for (const event of ["addtrack", "change"]) video.textTracks.addEventListener(event, follow, { signal: abort.signal });
    addEventListener("resize", update, { signal: abort.signal });
    follow();
    return () => {
      observer.disconnect();
      abort.abort();
      restore();
    };
  }, [container]);
  return null;
}
