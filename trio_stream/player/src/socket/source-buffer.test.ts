import { beforeEach, describe, expect, it } from "vitest";
import { Feeder } from "./source-buffer";

/**
 * A source buffer, as browsers have them: what it is told takes effect later, when `finish` is called, and a removal takes
 * all up to the next sync sample.
 */
class LateBuffer extends EventTarget {
  updating = false;
  kept: [from: number, to: number][] = [];
  most = Number.POSITIVE_INFINITY; // seconds
  #syncs: number[] = [];
  #later: (() => void) | null = null;

  /** The bytes of a chunk are the seconds between which it lies, and that of its sync sample, if it has one. */
  appendBuffer(data: ArrayBuffer): void {
    const [from, to, sync] = new Float64Array(data);
    const seconds = this.kept.reduce((sum, [begin, end]) => sum + end - begin, 0);
    if (seconds >= this.most) throw new DOMException("it is full", "QuotaExceededError");
    this.#begin(() => {
      if (from === undefined || to === undefined) return; // the initialisation
      if (sync !== undefined) this.#syncs.push(sync);
      const last = this.kept.at(-1);
      if (last?.[1] === from) last[1] = to;
      else this.kept.push([from, to]);
    });
  }

  remove(from: number, to: number): void {
    this.#begin(() => {
      const next = Math.min(...this.#syncs.filter((each) => each >= to)); // infinity if there is none
      this.#syncs = this.#syncs.filter((each) => each < from || each >= next);
      this.kept = this.kept.flatMap(([begin, end]) =>
        [[begin, Math.min(end, from)] as [number, number], [Math.max(begin, next), end] as [number, number]].filter(
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
let apart: number; // seconds from one sync sample to the next

const push = (...seconds: number[]) => {
  for (const from of seconds) {
    const sync = from % apart === 0 ? from : null;
    const data = new Float64Array([from, from + 1, ...(sync === null ? [] : [sync])]).buffer;
    feeder.push({ from, to: from + 1, sync, data });
  }
};
const upTo = (end: number, begin = 0) => Array.from({ length: end - begin }, (_, place) => begin + place);
const finish = () => {
  while (buffer.finish()) continue;
};

beforeEach(() => {
  buffer = new LateBuffer();
  time = 0;
  apart = 1;
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
  push(...upTo(150, 103));
  finish();
  time = 142;
  feeder.tick();
  finish();
  expect(feeder.ranges).toEqual([[112, 150]]);
});

it("what is past its end is over, once nothing is under way", () => {
  expect(feeder.isOver(0)).toBe(false);
  push(0, 1);
  expect(feeder.isOver(2)).toBe(false);
  finish();
  expect(feeder.isOver(1.9)).toBe(false);
  expect(feeder.isOver(2)).toBe(true);
  feeder.clear();
  expect(feeder.isOver(2)).toBe(false);
});

describe("with sync samples far apart", () => {
  beforeEach(() => {
    apart = 100;
  });

  it("nothing goes that leads up to what is shown", () => {
    push(...upTo(120));
    for (time = 0; time < 120; time += 1) {
      feeder.tick();
      finish();
    }
    expect(feeder.ranges).toEqual([[0, 120]]);
    push(...upTo(150, 120));
    time = 131;
    feeder.tick();
    finish();
    expect(feeder.ranges).toEqual([[100, 150]]);
  });

  it("what comes after a seek is kept on the way there", () => {
    time = 195;
    feeder.clear();
    push(...upTo(210, 100));
    feeder.tick();
    finish();
    expect(feeder.ranges).toEqual([[100, 210]]);
    expect(feeder.holds(195)).toBe(true);
  });

  it("what finds no room waits until some has", () => {
    buffer.most = 110;
    push(...upTo(115));
    finish();
    for (time = 50; time < 101; time += 1) {
      feeder.tick();
      finish();
      expect(feeder.ranges).toEqual([[0, 110]]);
    }
    feeder.tick();
    finish();
    expect(feeder.ranges).toEqual([[100, 115]]);
    expect(feeder.idle).toBe(true);
  });
});

describe("a group of pictures that is larger than the room for it", () => {
  beforeEach(() => {
    apart = 1_000;
    buffer.most = 20;
    push(...upTo(40));
    finish();
  });

  it("plays up to where the room ends, and that is known at once", () => {
    expect(feeder.ranges).toEqual([[0, 20]]);
    expect(feeder.until).toBe(20);
    expect(feeder.reach(0)).toBe(20);
    expect(feeder.idle).toBe(false); // there is more, so this is not the end
    for (time = 0; time <= 20; time += 1) {
      feeder.tick();
      push(40 + time);
      finish();
      expect(feeder.ranges).toEqual([[0, 20]]);
    }
  });

  it("is forgotten after a seek to another one", () => {
    time = 1_001;
    feeder.clear();
    expect(feeder.until).toBe(null);
    push(...upTo(1_010, 1_000));
    finish();
    expect(feeder.ranges).toEqual([[1_000, 1_010]]);
    expect(feeder.until).toBe(null);
  });
});

it("a group that ends just where the room does goes once it was seen", () => {
  apart = 19;
  buffer.most = 20;
  push(...upTo(30));
  finish();
  expect(feeder.until).toBe(null);
  time = 19.9;
  feeder.tick();
  finish();
  expect(feeder.ranges).toEqual([[19, 30]]);
});

describe("fragments with room for one", () => {
  const whole = (from: number) => feeder.push({ from, to: from + 10, sync: from, data: new Float64Array([from, from + 10, from]).buffer });

  it("come one after the other, each when the one before was seen", () => {
    buffer.most = 10;
    for (const from of [0, 10, 20]) whole(from);
    finish();
    for (const from of [0, 10, 20]) {
      for (time = from; time < from + 9.9; time += 0.5) {
        feeder.tick();
        finish();
        expect(feeder.ranges).toEqual([[from, from + 10]]);
      }
      time = from + 9.9;
      feeder.tick();
      finish();
    }
    expect(feeder.until).toBe(null);
  });

  it("do not come where there is not even room for one", () => {
    buffer.most = 0;
    whole(0);
    finish();
    expect(feeder.until).toBe(0);
  });
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
  push(...upTo(113, 63));
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
