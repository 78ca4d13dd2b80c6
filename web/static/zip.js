// Archives in the ZIP format, storing pictures as they are: they are compressed already.
//
// APPNOTE.TXT 6.3 of PKWARE describes it; without its 64-bit extension an archive ends at 4 GiB.

const LIMIT_BYTES = 2 ** 32 - 1;
const LIMIT_FILES = 2 ** 16 - 1;
const VERSION = 20;
const NAMES_ARE_UTF8 = 1 << 11;

export class ArchiveFullError extends Error {}

export class Zip {
  #parts = [];
  #directory = [];
  #length = 0;
  #names = new Set();

  // Adds a Blob; a name that is taken gets a number.
  async add(name, blob, time) {
    const free = this.#free(name);
    const encoded = new TextEncoder().encode(free);
    const common = fields([
      [2, VERSION],
      [2, NAMES_ARE_UTF8],
      [2, 0], // stored
      ...dosTime(time),
      [4, await crc32(blob)],
      [4, blob.size],
      [4, blob.size],
      [2, encoded.length],
      [2, 0], // no extra field
    ]);
    const offset = this.#length;
    this.#push(fields([[4, 0x04034b50]]), common, encoded, blob);
    // No comment, first disk, no attributes.
    const rest = fields([[2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]);
    this.#directory.push(fields([[4, 0x02014b50], [2, VERSION]]), common, rest, encoded);
    this.#names.add(free);
    if (this.#length > LIMIT_BYTES || this.#names.size > LIMIT_FILES) throw new ArchiveFullError();
  }

  // The archive; nothing can be added afterwards.
  finish() {
    const offset = this.#length;
    this.#push(...this.#directory);
    const count = this.#names.size;
    const size = this.#length - offset;
    this.#push(
      fields([[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]]),
    );
    if (this.#length > LIMIT_BYTES) throw new ArchiveFullError();
    return new Blob(this.#parts, { type: "application/zip" });
  }

  #push(...parts) {
    for (const part of parts) this.#length += part.size ?? part.length;
    this.#parts.push(...parts);
  }

  #free(name) {
    const dot = name.lastIndexOf(".");
    const [stem, suffix] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
    let free = name;
    for (let number = 2; this.#names.has(free); number += 1) free = `${stem} (${number})${suffix}`;
    return free;
  }
}

// Little-endian numbers from pairs of their length in bytes and their value.
function fields(pairs) {
  const view = new DataView(new ArrayBuffer(pairs.reduce((sum, [length]) => sum + length, 0)));
  let at = 0;
  for (const [length, value] of pairs) {
    if (length === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += length;
  }
  return new Uint8Array(view.buffer);
}

// Two seconds a step, from 1980 on.
function dosTime(time) {
  const clock = (time.getHours() << 11) | (time.getMinutes() << 5) | (time.getSeconds() >> 1);
  const day = ((time.getFullYear() - 1980) << 9) | ((time.getMonth() + 1) << 5) | time.getDate();
  return [[2, clock], [2, day]];
}

// Of the polynomial 0xEDB88320, a byte at a time.
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

async function crc32(blob) {
  let crc = 0xffffffff;
  const reader = blob.stream().getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    for (const byte of next.value) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
