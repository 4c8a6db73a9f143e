/** The vertical scale of a chart. */

const STEPS = [1, 1.5, 2, 3, 4, 6, 8, 10]; // their halves are round numbers as well
const ROOM = 1.12; // space above the highest value, for the line and its label

/** The smallest round number above all of `values`, but at least `least`. */
export function scaleTop(values: readonly (number | null)[], least: number): number {
  let highest = 0;
  for (const value of values) if (value !== null && value > highest) highest = value;
  const wanted = highest * ROOM;
  if (wanted <= least) return least;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = STEPS.find((each) => each * power >= wanted * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** The last, lowest and highest value, for the text alternative of a chart; null without values. */
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
