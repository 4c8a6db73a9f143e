import { beforeEach, describe, expect, it } from "vitest";
import { Feeder } from "./feeder";

/** A source buffer, as browsers have them: what it is told takes effect later, when `finish` is called. */
class LateBuffer extends EventTarget {
  updating = false;
  kept: [from: number, to: number][] = [];
  #later: (() => void) | null = null;

  /** The bytes of a chunk are the seconds between which it lies. */
  appendBuffer(data: ArrayBuffer): void {
    const [from, to] = new Float64Array(data);
    this.#begin(() => {
      if (from === undefined || to === undefined) return; // the initialisation
      const last = this.kept.at(-1);
      if (last?.[1] === from) last[1] = to;
      else this.kept.push([from, to]);
    });
  }

  remove(from: number, to: number): void {
    this.#begin(() => {
      this.kept = this.kept.flatMap(([begin, end]) =>
        [[begin, Math.min(end, from)] as [number, number], [Math.max(begin, to), end] as [number, number]].filter(
          ([first, last]) => first < last,
        ),
      );
    });
  }

  get buffered() {
    const kept = [...this.kept];
    return { length: kept.length, start: (place: number) => kept[place]?.[0], end: (place: number) => kept[place]?.[1] };
  }

  /** What it was told takes effect; false if there is nothing. */
  finish(): boolean {
    const later = this.#later;
    if (later === null) return false;
    this.#later = null;
    later();
    this.updating = false;
    this.dispatchEvent(new Event("updateend"));
    return true;
  }

  #begin(later: () => void): void {
    if (this.updating) throw new DOMException("it is at something", "InvalidStateError");
    this.updating = true;
    this.#later = later;
  }
}

let buffer: LateBuffer;
let feeder: Feeder;
let time: number; // where the video stands
let failures: unknown[];

const push = (...seconds: number[]) => {
  for (const from of seconds) feeder.push({ from, to: from + 1, data: new Float64Array([from, from + 1]).buffer });
};
const finish = () => {
  while (buffer.finish()) continue;
};

beforeEach(() => {
  buffer = new LateBuffer();
  time = 0;
  failures = [];
  feeder = new Feeder(buffer as unknown as SourceBuffer, new ArrayBuffer(0), () => time, (error) => failures.push(error));
  finish();
  return () => expect(failures).toEqual([]);
});

/** The video stands at `seconds`, and plays. */
function play(seconds: number): void {
  time = seconds;
  push(time, time + 1, time + 2);
  feeder.tick();
  finish();
}

it("what is long past goes", () => {
  play(100);
  time = 132;
  feeder.tick();
  finish();
  expect(feeder.ranges).toEqual([[100, 103]]);
  time = 142;
  feeder.tick();
  finish();
  expect(feeder.ranges).toEqual([]);
});

describe("after a seek", () => {
  it("back, what comes is kept, before anybody said that time went by", () => {
    play(300);
    time = 20;
    feeder.clear();
    push(19, 20, 21);
    finish();
    expect(feeder.ranges).toEqual([[19, 22]]);
  });

  it("nothing of what was there is counted on while it waits to be removed, or is", () => {
    play(20);
    push(23); // is being taken
    time = 300;
    feeder.clear();
    expect(feeder.holds(21)).toBe(false);
    expect(feeder.reach(21)).toBe(21);
    buffer.finish();
    expect(buffer.kept).toEqual([[20, 24]]); // is being removed
    expect(feeder.holds(21)).toBe(false);
    expect(feeder.reach(21)).toBe(21);
    time = 21;
    push(21);
    finish();
    expect(feeder.ranges).toEqual([[21, 22]]);
    expect(feeder.holds(21)).toBe(true);
  });
});

it("what is being let go is not counted on, nor what lies near it", () => {
  play(60);
  push(...Array.from({ length: 50 }, (_, place) => 63 + place));
  finish();
  time = 101;
  feeder.tick();
  time = 72;
  expect(buffer.kept).toEqual([[60, 113]]);
  expect(feeder.holds(72)).toBe(false);
  finish();
  expect(feeder.ranges).toEqual([[71, 113]]);
  expect(feeder.holds(72)).toBe(true);
});
