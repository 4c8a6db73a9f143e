/** Formats numbers for display. */

/** Seconds as hours, minutes and seconds: 0:07, 12:34, 1:02:03. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function scaled(language: string, value: number, units: readonly string[]): string {
  let power = 0;
  while (value >= 999.5 && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  const digits = value >= 100 || power === 0 ? 0 : value >= 10 ? 1 : 2;
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  return `${number} ${units[power]}`;
}

export const bytes = (language: string, count: number) => scaled(language, count, ["B", "kB", "MB", "GB", "TB"]);

export const bitsPerSecond = (language: string, rate: number) =>
  scaled(language, rate, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);

/** A duration in its largest fitting unit: 45 s, 12 min, 3 h, 2 d. */
export function span(language: string, seconds: number): string {
  const units = [
    ["second", 1],
    ["minute", 60],
    ["hour", 3600],
    ["day", 86400],
  ] as const;
  const [unit, size] = units.findLast(([, each]) => seconds >= each * 1.5) ?? units[0];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(
    Math.round(seconds / size),
  );
}

/** A fraction such as 24000/1001 as a number. */
export function fraction(text: string): number {
  const [above = 0, below = 1] = text.split("/").map(Number);
  return above / (below || 1);
}
