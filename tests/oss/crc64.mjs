// CRC-64/XZ (ECMA-182 reflected), eight bytes a step. A 64-bit number is two 32-bit halves here, since
// BigInt would take a hundred times as long. Words are read as the machine has them: little-endian.
const tables = buildTables();

function buildTables() {
  const low = new Int32Array(8 * 256), high = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; ++byte) {
    let l = byte, h = 0;
    for (let bit = 0; bit < 8; ++bit) {
      const odd = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (odd) {
        l ^= 0xd7870f42;
        h ^= 0xc96c5795;
      }
    }
    low[byte] = l;
    high[byte] = h;
  }
  for (let i = 256; i < 8 * 256; ++i) {
    const l = low[i - 256], h = high[i - 256];
    low[i] = ((l >>> 8) | (h << 24)) ^ low[l & 255];
    high[i] = (h >>> 8) ^ high[l & 255];
  }
  return { low, high };
}

export class Crc64 {
  #low = -1;
  #high = -1;

  /** Adds a Buffer or Uint8Array. */
  add(bytes) {
    const { low, high } = tables;
    let l = this.#low, h = this.#high, i = 0;
    if (bytes.length >= 16) {
      for (; (bytes.byteOffset + i) % 4 !== 0; ++i) {
        const at = (l ^ bytes[i]) & 255;
        l = ((l >>> 8) | (h << 24)) ^ low[at];
        h = (h >>> 8) ^ high[at];
      }
      const words = new Int32Array(bytes.buffer, bytes.byteOffset + i, ((bytes.length - i) >>> 3) << 1);
      for (let w = 0; w < words.length; w += 2) {
        l ^= words[w];
        h ^= words[w + 1];
        const a = 1792 + (l & 255), b = 1536 + ((l >>> 8) & 255), c = 1280 + ((l >>> 16) & 255), d = 1024 + (l >>> 24);
        const e = 768 + (h & 255), f = 512 + ((h >>> 8) & 255), g = 256 + ((h >>> 16) & 255), z = h >>> 24;
        l = low[a] ^ low[b] ^ low[c] ^ low[d] ^ low[e] ^ low[f] ^ low[g] ^ low[z];
        h = high[a] ^ high[b] ^ high[c] ^ high[d] ^ high[e] ^ high[f] ^ high[g] ^ high[z];
      }
      i += words.length * 4;
    }
    for (; i < bytes.length; ++i) {
      const at = (l ^ bytes[i]) & 255;
      l = ((l >>> 8) | (h << 24)) ^ low[at];
      h = (h >>> 8) ^ high[at];
    }
    this.#low = l;
    this.#high = h;
    return this;
  }

  /** Unsigned decimal, as OSS prints it. */
  toString() {
    return ((BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0)).toString();
  }
}
