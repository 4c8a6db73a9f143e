/** How high a picture has to be for what it shows, and where the lines across it lie. */

const STEPS = [1, 1.5, 2, 3, 4, 6, 8, 10]; // whose halves are round, too
const ROOM = 1.12; // over the highest value, for the line and the words at its end

/** The least round number above all of `values` and not below `least`. */
export function scaleTop(values: readonly (number | null)[], least: number): number {
  let highest = 0;
  for (const value of values) if (value !== null && value > highest) highest = value;
  const wanted = highest * ROOM;
  if (wanted <= least) return least;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = STEPS.find((each) => each * power >= wanted * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** What a picture is in words: the last value, the lowest and the highest; null where there is none. */
export function extremes(
  values: readonly (number | null)[],
): { last: number; lowest: number; highest: number } | null {
  const present = values.filter((each) => each !== null);
  const last = present.at(-1);
  if (last === undefined) return null;
  let [lowest, highest] = [last, last];
  for (const value of present) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return { last, lowest, highest };
}
