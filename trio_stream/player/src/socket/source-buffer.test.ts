import { beforeEach, describe, expect, it } from "vitest";
import { Feeder } from "./source-buffer";

/**
 * A source buffer that behaves as in browsers: an operation takes effect later, when `finish` is called, and a removal
 * continues to the next sync sample.
 */
class LateBuffer extends EventTarget {
  updating = false;
  ranges: [from: number, to: number][] = [];
  capacity = Number.POSITIVE_INFINITY; // seconds
  #syncs: number[] = [];
  #later: (() => void) | null = null;

  /** A chunk holds its start and end in seconds, and the time of its sync sample, if it has one. */
  appendBuffer(data: ArrayBuffer): void {
    const [from, to, sync] = new Float64Array(data);
    const seconds = this.ranges.reduce((sum, [begin, end]) => sum + end - begin, 0);
    if (seconds >= this.capacity) throw new DOMException("the buffer is full", "QuotaExceededError");
    this.#begin(() => {
      if (from === undefined || to === undefined) return; // the init segment
      if (sync !== undefined) this.#syncs.push(sync);
      const last = this.ranges.at(-1);
      if (last?.[1] === from) last[1] = to;
      else this.ranges.push([from, to]);
    });
  }

  remove(from: number, to: number): void {
    this.#begin(() => {
      const next = Math.min(...this.#syncs.filter((sync) => sync >= to)); // infinity if there is none
      this.#syncs = this.#syncs.filter((sync) => sync < from || sync >= next);
      this.ranges = this.ranges.flatMap(([begin, end]) =>
        [[begin, Math.min(end, from)] as [number, number], [Math.max(begin, next), end] as [number, number]].filter(
          ([first, last]) => first < last,
        ),
      );
    });
  }

  get buffered() {
    const ranges = [...this.ranges];
    return { length: ranges.length, start: (index: number) => ranges[index]?.[0], end: (index: number) => ranges[index]?.[1] };
  }

  /** Completes the pending operation; false if there is none. */
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
    if (this.updating) throw new DOMException("an operation is pending", "InvalidStateError");
    this.updating = true;
    this.#later = later;
  }
}

let buffer: LateBuffer;
let feeder: Feeder;
let time: number; // current time of the video
let failures: unknown[];
let syncInterval: number; // seconds from one sync sample to the next

const push = (...seconds: number[]) => {
  for (const from of seconds) {
    const sync = from % syncInterval === 0 ? from : null;
    const data = new Float64Array([from, from + 1, ...(sync === null ? [] : [sync])]).buffer;
    feeder.push({ from, to: from + 1, sync, data });
  }
};
const secondsUpTo = (end: number, begin = 0) => Array.from({ length: end - begin }, (_, index) => begin + index);
const finish = () => {
  while (buffer.finish()) continue;
};

beforeEach(() => {
  buffer = new LateBuffer();
  time = 0;
  syncInterval = 1;
  failures = [];
  feeder = new Feeder(buffer as unknown as SourceBuffer, new ArrayBuffer(0), () => time, (error) => failures.push(error));
  finish();
  return () => expect(failures).toEqual([]);
});

/** Plays from `seconds`. */
function play(seconds: number): void {
  time = seconds;
  push(time, time + 1, time + 2);
  feeder.tick();
  finish();
}

it("removes what was watched long ago", () => {
  play(100);
  time = 132;
  feeder.tick();
  finish();
  expect(feeder.ranges).toEqual([[100, 103]]);
  push(...secondsUpTo(150, 103));
  finish();
  time = 142;
  feeder.tick();
  finish();
  expect(feeder.ranges).toEqual([[112, 150]]);
});

it("a time past the end is over once nothing is pending", () => {
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
    syncInterval = 100;
  });

  it("keeps what is needed to decode the current frame", () => {
    push(...secondsUpTo(120));
    for (time = 0; time < 120; time += 1) {
      feeder.tick();
      finish();
    }
    expect(feeder.ranges).toEqual([[0, 120]]);
    push(...secondsUpTo(150, 120));
    time = 131;
    feeder.tick();
    finish();
    expect(feeder.ranges).toEqual([[100, 150]]);
  });

  it("keeps data on the way to the target of a seek", () => {
    time = 195;
    feeder.clear();
    push(...secondsUpTo(210, 100));
    feeder.tick();
    finish();
    expect(feeder.ranges).toEqual([[100, 210]]);
    expect(feeder.holds(195)).toBe(true);
  });

  it("a chunk that does not fit waits until there is room", () => {
    buffer.capacity = 110;
    push(...secondsUpTo(115));
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

describe("a GOP that is larger than the buffer", () => {
  beforeEach(() => {
    syncInterval = 1_000;
    buffer.capacity = 20;
    push(...secondsUpTo(40));
    finish();
  });

  it("plays up to the end of the buffer, which is reported at once", () => {
    expect(feeder.ranges).toEqual([[0, 20]]);
    expect(feeder.until).toBe(20);
    expect(feeder.reach(0)).toBe(20);
    expect(feeder.idle).toBe(false); // more follows, so this is not the end
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
    push(...secondsUpTo(1_010, 1_000));
    finish();
    expect(feeder.ranges).toEqual([[1_000, 1_010]]);
    expect(feeder.until).toBe(null);
  });
});

it("a GOP that just fits is removed after it was shown", () => {
  syncInterval = 19;
  buffer.capacity = 20;
  push(...secondsUpTo(30));
  finish();
  expect(feeder.until).toBe(null);
  time = 19.9;
  feeder.tick();
  finish();
  expect(feeder.ranges).toEqual([[19, 30]]);
});

describe("fragments in a buffer for one", () => {
  const pushFragment = (from: number) => feeder.push({ from, to: from + 10, sync: from, data: new Float64Array([from, from + 10, from]).buffer });

  it("are appended one by one, each after the one before was shown", () => {
    buffer.capacity = 10;
    for (const from of [0, 10, 20]) pushFragment(from);
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

  it("are not appended if not even one fits", () => {
    buffer.capacity = 0;
    pushFragment(0);
    finish();
    expect(feeder.until).toBe(0);
  });
});

describe("after a seek", () => {
  it("back, keeps new data before the first tick", () => {
    play(300);
    time = 20;
    feeder.clear();
    push(19, 20, 21);
    finish();
    expect(feeder.ranges).toEqual([[19, 22]]);
  });

  it("does not count old data that is being removed or will be", () => {
    play(20);
    push(23); // is being appended
    time = 300;
    feeder.clear();
    expect(feeder.holds(21)).toBe(false);
    expect(feeder.reach(21)).toBe(21);
    buffer.finish();
    expect(buffer.ranges).toEqual([[20, 24]]); // is being removed
    expect(feeder.holds(21)).toBe(false);
    expect(feeder.reach(21)).toBe(21);
    time = 21;
    push(21);
    finish();
    expect(feeder.ranges).toEqual([[21, 22]]);
    expect(feeder.holds(21)).toBe(true);
  });
});

it("does not count data that is being removed, nor data near it", () => {
  play(60);
  push(...secondsUpTo(113, 63));
  finish();
  time = 101;
  feeder.tick();
  time = 72;
  expect(buffer.ranges).toEqual([[60, 113]]);
  expect(feeder.holds(72)).toBe(false);
  finish();
  expect(feeder.ranges).toEqual([[71, 113]]);
  expect(feeder.holds(72)).toBe(true);
});
