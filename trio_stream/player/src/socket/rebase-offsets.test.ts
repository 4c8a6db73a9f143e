import { describe, expect, it } from "vitest";
import { concat } from "./concat";
import { rebaseOffsets } from "./rebase-offsets";
import { box } from "./test-mp4";

const [BASE, FROM_MOOF, DURATION] = [0x1, 0x020000, 0x8];
const START = 5_000_000_000; // offset of the fragment in its file, larger than 32 bits

const tfhd = (flags: number, ...fields: number[]) => box("tfhd", flags, 1, ...fields);
const at = (offset: number) => [Math.floor(offset / 2 ** 32), offset % 2 ** 32];
const moof = (...trafs: Uint8Array[][]) => box("moof", box("mfhd", 0, 1), ...trafs.map((each) => box("traf", ...each)));
const run = (flags: number, ...fields: number[]) => box("trun", flags, 1, ...fields);
const from = (whole: Uint8Array, behind: number) => whole.length + behind;

describe("a fragment", () => {
  it("with offsets from its own start is unchanged", () => {
    const own = moof([tfhd(FROM_MOOF), run(0x1, 100)]);
    expect(rebaseOffsets(own, START)).toBe(own);
  });

  it("with offsets from the start of the file gets offsets from its own start", () => {
    const before = moof([tfhd(BASE | DURATION, ...at(START), 40), run(0x1, 84)]);
    const wanted = (offset: number) => moof([tfhd(FROM_MOOF | DURATION, 40), run(0x1, offset)]);
    expect(rebaseOffsets(before, START)).toEqual(wanted(84 - 8));
  });

  it("whose run has only a base offset gets a data offset", () => {
    const before = (base: number) => moof([tfhd(BASE, ...at(base)), run(0x200, 7)]);
    const length = before(0).length;
    const after = rebaseOffsets(before(START + length + 8), START);
    expect(after).toEqual(moof([tfhd(FROM_MOOF), run(0x201, from(after, 8), 7)]));
  });

  it("of two tracks, one with offsets from its own start, keeps both correct", () => {
    const before = moof([tfhd(BASE, ...at(START)), run(0x1, 300)], [tfhd(FROM_MOOF), run(0x1, 500), run(0)]);
    expect(rebaseOffsets(before, START)).toEqual(
      moof([tfhd(FROM_MOOF), run(0x1, 292)], [tfhd(FROM_MOOF), run(0x1, 492), run(0)]),
    );
  });

  it("with broken boxes is rejected", () => {
    const broken = concat(moof([tfhd(FROM_MOOF)]));
    broken[8] = 0xff;
    expect(() => rebaseOffsets(broken, START)).toThrow("a box is larger than its parent");
  });
});
