/** Writes a movie fragment (ISO/IEC 14496-12 section 8.8): `moof` and `mdat` with one run of samples of one track. */

import { type SampleTable, valueAt } from "./sample-table";

const FROM_MOOF = 0x020000; // tfhd: offsets are relative to this moof
const DESCRIPTION = 0x000002; // tfhd: has the index of the sample description
const OFFSET = 0x000001; // trun: has the offset of the data
const PER_SAMPLE = 0x000f00; // trun: has duration, size, flags and composition offset of each sample
const SYNC = 0x02000000; // depends on no other sample
const NOT_SYNC = 0x01010000; // depends on others, is not a sync sample

class Writer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #offset = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Writes numbers of four bytes; strings are box types. */
  put(...values: (number | string)[]): void {
    for (const value of values) {
      if (typeof value === "number") this.#view.setUint32(this.#offset, value);
      else for (let letter = 0; letter < 4; letter += 1) this.bytes[this.#offset + letter] = value.charCodeAt(letter);
      this.#offset += 4;
    }
  }

  long(value: number): void {
    this.#view.setBigUint64(this.#offset, BigInt(Math.max(0, Math.round(value))));
    this.#offset += 8;
  }

  copy(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#offset);
    this.#offset += bytes.length;
  }
}

/** Builds a fragment from samples of `table`: sample `first` and those that follow. `parts` holds the bytes of each. */
export function writeFragment(sequence: number, table: SampleTable, first: number, parts: readonly Uint8Array[]): ArrayBuffer {
  const trun = 20 + 16 * parts.length;
  const [tfhd, tfdt, mfhd] = [20, 20, 16];
  const traf = 8 + tfhd + tfdt + trun;
  const moof = 8 + mfhd + traf;
  const payload = parts.reduce((sum, part) => sum + part.length, 0);
  const out = new Writer(moof + 8 + payload);
  out.put(moof, "moof");
  out.put(mfhd, "mfhd", 0, sequence);
  out.put(traf, "traf");
  out.put(tfhd, "tfhd", FROM_MOOF | DESCRIPTION, table.id, valueAt(table.description, first) + 1);
  out.put(tfdt, "tfdt", 0x01000000);
  out.long(valueAt(table.dts, first));
  out.put(trun, "trun", 0x01000000 | PER_SAMPLE | OFFSET, parts.length, moof + 8);
  for (let index = first; index < first + parts.length; index += 1)
    out.put(
      valueAt(table.duration, index),
      valueAt(table.size, index),
      valueAt(table.sync, index) === 1 ? SYNC : NOT_SYNC,
      valueAt(table.compositionOffset, index),
    );
  out.put(8 + payload, "mdat");
  for (const part of parts) out.copy(part);
  return out.bytes.buffer;
}
