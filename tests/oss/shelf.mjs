// What the bucket holds. Bytes are files in one directory; what is known about them is in memory, so
// that a simulator starts empty. A name leads to an object only after all of its bytes are there.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Crc64 } from './crc64.mjs';
import { Refusal } from './refusal.mjs';

const least_part = 100 * 1024;

export class Shelf {
  objects = new Map();  // name → object
  uploads = new Map();  // id → {id, key, attributes, initiated, parts: number → blob}
  puts = new Map();     // name → times an object was put under it, removed ones too
  overwritten = 0;
  #directory;
  #files = 0;

  constructor(directory) {
    this.#directory = resolve(directory);
    mkdirSync(this.#directory, { recursive: true });
    for (const name of readdirSync(this.#directory))
      if (/^oss-\d+$/.test(name)) rmSync(join(this.#directory, name));
  }

  /** A place for bytes to come: add() them, then keep() or drop(). */
  async blob() {
    const file = join(this.#directory, `oss-${++this.#files}`);
    return new Blob(file, await open(file, 'wx'));
  }

  put(name, blob, attributes, etag = `"${blob.md5.toUpperCase()}"`, type = 'Normal') {
    const before = this.objects.get(name);
    if (before) {
      ++this.overwritten;
      before.blob.drop();
    }
    this.puts.set(name, (this.puts.get(name) ?? 0) + 1);
    const object = { name, blob, attributes, etag, type, modified: Date.now() };
    this.objects.set(name, object);
    return object;
  }

  remove(name) {
    this.objects.get(name)?.blob.drop();
    return this.objects.delete(name);
  }

  initiate(key, attributes) {
    const id = randomBytes(16).toString('hex').toUpperCase();
    this.uploads.set(id, { id, key, attributes, initiated: Date.now(), parts: new Map(), busy: false });
    return id;
  }

  upload(id, key) {
    const upload = this.uploads.get(id);
    if (!upload || upload.key !== key)
      throw new Refusal(404, 'NoSuchUpload', 'The specified upload does not exist. The upload ID may be invalid, ' +
                        'or the upload may have been aborted or completed.', { UploadId: id });
    return upload;
  }

  addPart(id, key, number, blob) {
    const upload = this.upload(id, key);  // it may have gone while the bytes came
    upload.parts.get(number)?.drop();
    upload.parts.set(number, blob);
  }

  /** parts: [{number, etag}] as asked for. */
  async complete(id, key, parts) {
    const upload = this.upload(id, key);
    if (upload.busy) throw new Refusal(409, 'OperationConflict', 'The upload is being completed.');
    const blobs = parts.map(({ number, etag }, i) => {
      if (i > 0 && parts[i - 1].number >= number)
        throw new Refusal(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
      const blob = upload.parts.get(number);
      if (!blob || blob.md5 !== etag.replace(/"/g, '').toLowerCase())
        throw new Refusal(400, 'InvalidPart', 'One or more of the specified parts could not be found or the ' +
                          'specified entity tag might not have matched.', { PartNumber: number });
      return blob;
    });
    blobs.forEach((blob, i) => {
      if (i + 1 < blobs.length && blob.size < least_part)
        throw new Refusal(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size.',
                          { PartNumber: parts[i].number, MinSizeAllowed: least_part, ProposedSize: blob.size });
    });
    upload.busy = true;
    const whole = await this.blob();
    for (const blob of blobs) for await (const chunk of blob.read()) await whole.add(chunk);
    await whole.keep();
    const digest = createHash('md5').update(Buffer.from(blobs.map((b) => b.md5).join(''), 'hex')).digest('hex');
    const object = this.put(key, whole, upload.attributes, `"${digest.toUpperCase()}-${blobs.length}"`, 'Multipart');
    this.#end(upload);
    return object;
  }

  abort(id, key) {
    this.#end(this.upload(id, key));
  }

  clear() {
    for (const name of [...this.objects.keys()]) this.remove(name);
    for (const upload of [...this.uploads.values()]) this.#end(upload);
    this.puts.clear();
    this.overwritten = 0;
  }

  #end(upload) {
    for (const blob of upload.parts.values()) blob.drop();
    this.uploads.delete(upload.id);
  }
}

class Blob {
  size = 0;
  md5;    // hex, once kept
  crc64;  // decimal, once kept
  #handle;
  #md5 = createHash('md5');
  #crc64 = new Crc64();

  constructor(file, handle) {
    this.file = file;
    this.#handle = handle;
  }

  async add(chunk) {
    this.#md5.update(chunk);
    this.#crc64.add(chunk);
    this.size += chunk.length;
    for (let at = 0; at < chunk.length;) at += (await this.#handle.write(chunk, at)).bytesWritten;
  }

  async keep() {
    this.md5 = this.#md5.digest('hex');
    this.crc64 = this.#crc64.toString();
    await this.#handle.close();
  }

  drop() {
    this.#handle.close().catch(() => {});
    rmSync(this.file, { force: true });
  }

  /** Opens the file at once, so that an object that is replaced meanwhile is still read whole. */
  async *read(first = 0, last = this.size - 1) {
    const handle = await open(this.file, 'r');
    try {
      const buffer = Buffer.allocUnsafe(256 * 1024);
      for (let at = first; at <= last;) {
        const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, last + 1 - at), at);
        if (bytesRead === 0) throw new Error('a file of the simulator is shorter than it was');
        yield Buffer.from(buffer.subarray(0, bytesRead));  // the reader may keep it
        at += bytesRead;
      }
    } finally {
      await handle.close();
    }
  }

  /** One bit of what is kept turns over, and the sums are those of the spoilt bytes. */
  async flip() {
    if (this.size === 0) return;
    const at = Math.floor(this.size / 2);
    const handle = await open(this.file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] ^= 1;
    await handle.write(byte, 0, 1, at);
    await handle.close();
    const md5 = createHash('md5'), crc64 = new Crc64();
    for await (const chunk of this.read()) {
      md5.update(chunk);
      crc64.add(chunk);
    }
    this.md5 = md5.digest('hex');
    this.crc64 = crc64.toString();
  }
}
