/** Which subtitle tracks a video has, their labels, and which of them to show. */

import type { Subtitle } from "../api/client";
import { canonical, closest, rank, trackName } from "../ui/languages";

export interface SubtitleTrack {
  url: string;
  label: string;
  language: string;
  forced: boolean;
}

export interface TrackNames {
  language: string;
  forced: string;
  hearing: string;
  track: (number: number) => string;
}

/** Makes names unique: repeated ones are numbered. */
export function distinct(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return names.map((name) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count > 1 ? `${name} ${count}` : name;
  });
}

/** The subtitles that can be shown, those in the viewer's languages first, with unique labels. */
export function subtitleTracks(subtitles: readonly Subtitle[], languages: readonly string[], names: TrackNames): SubtitleTrack[] {
  const shown = subtitles
    .filter((each) => each.url !== null)
    .map((each, index) => ({ each, index, rank: rank(each.language, languages) }))
    .sort((one, other) => one.rank - other.rank || one.index - other.index);
  const labels = distinct(
    shown.map(({ each, index }) => {
      const { language, label: title, forced, hearing_impaired: hearing } = each;
      return trackName({ language, title, forced, hearing }, names, names.track(index + 1));
    }),
  );
  return shown.map(({ each }, index) => ({
    url: each.url ?? "",
    label: labels[index] ?? "",
    language: canonical(each.language) ?? "",
    forced: each.forced,
  }));
}

/**
 * The index of the subtitles to show at the start: those chosen last time, else forced ones in the language of the audio,
 * which translate what is written in the video, else none (-1).
 */
export function initialSubtitles(
  tracks: readonly SubtitleTrack[],
  remembered: string | null,
  audioLanguage: string | null,
): number {
  if (remembered === "off") return -1;
  const full = closest(
    tracks.filter((each) => !each.forced),
    remembered,
  );
  const forced = closest(
    tracks.filter((each) => each.forced),
    audioLanguage,
  );
  const track = full ?? forced;
  return track === undefined ? -1 : tracks.indexOf(track);
}
