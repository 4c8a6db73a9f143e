/** Subtitles keep clear of the controls while these show: those at the bottom are lifted, those at the top go down. */

import { useContainer } from "@videojs/react";
import { useEffect } from "react";

/** Height of a line, as a part of the smaller side of the picture: browsers write cues in 5% of it. */
const LINE_HEIGHT = 0.06;

/** How browsers move all cues at once, those at the top as well: see skin.css. */
const LIFTS = "selector(video::-webkit-media-text-track-container)";

export interface CuePosition {
  line: number | "auto";
  snapToLines: boolean;
}

/**
 * Where cues go, each with so many lines of text, while `shift` of the picture (0 to 1) is covered at the top, and a line
 * takes `line` of it; null: it stays. Those that count from the top are put one below the other, as a browser does; those
 * with a place in the picture move together.
 */
export function movedSubtitles(cues: readonly (CuePosition & { lines: number })[], shift: number, line: number): (CuePosition | null)[] {
  let used = 0;
  return cues.map((cue) => {
    if (cue.line === "auto" || cue.line < 0) return null;
    // Browsers lay out at once what is given in percent, and what is given in lines only when another cue comes.
    if (!cue.snapToLines) return { line: Math.min(100, shift * 100 + cue.line * (1 - shift)), snapToLines: false };
    if (cue.line * line >= 0.5) return null;
    const first = Math.max(cue.line, used);
    used = first + cue.lines;
    return { line: Math.min(100, (shift + first * line) * 100), snapToLines: false };
  });
}

/** Moves cues as long as the controls of the skin around it show. */
export function SubtitlePosition() {
  const container = useContainer();
  useEffect(() => {
    const video = container?.querySelector("video");
    if (container === null || video == null) return;
    const moved = new Map<VTTCue, CuePosition>();
    const back = () => {
      for (const [cue, place] of moved) Object.assign(cue, place);
      moved.clear();
    };
    const look = () => {
      if (!container.hasAttribute("data-controls-visible")) {
        back();
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
      const given = cues.map((cue) => {
        const { line, snapToLines } = moved.get(cue) ?? cue;
        return { line, snapToLines, lines: cue.text.split("\n").length };
      });
      const places = movedSubtitles(given, (covered + lift) / height, (LINE_HEIGHT * Math.min(width, height)) / height);
      for (const [number, cue] of cues.entries()) {
        const [place, before] = [places[number], given[number]];
        // Nothing that is right is set again: a cue that changes is one that comes anew, of which this is told.
        if (place == null || before === undefined || cue.line === place.line) continue;
        moved.set(cue, { line: before.line, snapToLines: before.snapToLines });
        Object.assign(cue, place);
      }
    };
    const watching = new MutationObserver(look);
    watching.observe(container, { attributes: true, attributeFilter: ["data-controls-visible"] });
    const ending = new AbortController();
    const follow = () => {
      for (const track of video.textTracks) track.addEventListener("cuechange", look, { signal: ending.signal });
      look();
    };
    for (const event of ["addtrack", "change"]) video.textTracks.addEventListener(event, follow, { signal: ending.signal });
    addEventListener("resize", look, { signal: ending.signal });
    follow();
    return () => {
      watching.disconnect();
      ending.abort();
      back();
    };
  }, [container]);
  return null;
}
