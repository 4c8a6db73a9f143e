import { describe, expect, it } from "vitest";
import { nearest } from "./arrow-keys";

describe("arrow keys", () => {
  // 0 1 2
  // 3 4
  const boxes = [0, 1, 2, 3, 4].map((index) => {
    const [left, top] = [(index % 3) * 110, Math.floor(index / 3) * 110];
    return { left, top, right: left + 100, bottom: top + 100 };
  });
  const from = (index: number, direction: Parameters<typeof nearest>[2]) => {
    const others = boxes.filter((_, each) => each !== index);
    const found = others[nearest(boxes[index]!, others, direction)];
    return found === undefined ? -1 : boxes.indexOf(found);
  };
  it.each([
    [0, "ArrowRight", 1],
    [1, "ArrowLeft", 0],
    [1, "ArrowDown", 4],
    [2, "ArrowDown", 4],
    [4, "ArrowUp", 1],
    [4, "ArrowRight", -1],
    [0, "ArrowUp", -1],
    [2, "ArrowRight", -1],
  ] as const)("from %d %s leads to %d", (start, direction, end) => expect(from(start, direction)).toBe(end));
});
