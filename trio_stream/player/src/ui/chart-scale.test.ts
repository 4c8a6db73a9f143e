import { expect, it } from "vitest";
import { extremes, scaleTop } from "./chart-scale";

it.each([
  [[], 20, 20],
  [[3, 9], 20, 20],
  [[18], 20, 30],
  [[35], 20, 40],
  [[36], 20, 60],
  [[890_000], 1, 1_000_000],
  [[900_000], 1, 1_500_000],
  [[null, 3], 1, 4],
])("the scale for %o, at least up to %s, ends at %s", (values, least, expected) => {
  expect(scaleTop(values, least)).toBe(expected);
});

it("extremes", () => {
  expect(extremes([null, 3, 1, 2, null])).toEqual({ last: 2, lowest: 1, highest: 3 });
  expect(extremes([null])).toBeNull();
});
