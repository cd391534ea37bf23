// One request from its first byte to its answer's last, with whatever a fault does to it.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultRefusal } from './faults.mjs';
import * as ops from './operations.mjs';
import { Refusal, refusalXml } from './refusal.mjs';
import { verify } from './signature.mjs';

/** A fault has broken the connection: nothing more is to be said. */
class Cut extends Error {}

export class Service {
  constructor(options, shelf, faults, journal) {
    Object.assign(this, { options, shelf, faults, journal, skewMs: 0 });
    this.account = { accessKeyId: options.accessKeyId, accessKeySecret: options.accessKeySecret,
                     securityToken: options.securityToken ?? '', pastTokens: [], region: options.region };
  }

  now() {
    return Date.now() + this.skewMs;
  }

  async handle(req, res) {
    const exchange = { id: randomBytes(12).toString('hex').toUpperCase(), req, res, fault: null, received: 0, sent: 0,
                       code: null, signed: null, request: null,
                       noted: false };
    try {
      res.setHeader('Server', 'AliyunOSS');
      res.setHeader('Date', new Date(this.now()).toUTCString());
      res.setHeader('x-oss-request-id', exchange.id);
      await this.#serve(exchange);
    } catch (error) {
      await this.#fail(exchange, error);
    }
    this.#note(exchange);
  }

  /** Before the answer's last byte, so that who has the answer finds it in the journal. */
  #note(x) {
    if (!x.noted) this.journal.note(x);
    x.noted = true;
  }

  async #serve(x) {
    x.request = ops.parseRequest(x.req, this.options);
    x.fault = this.faults.next(x.request);
    if (x.fault?.delayMs) await sleep(x.fault.delayMs);
    if (x.fault?.kind === 'status' || x.fault?.kind === 'throttle') throw faultRefusal(x.fault);
    const { request } = x;
    if (request.bucket !== this.options.bucket)
      throw new Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist.', { BucketName: request.bucket });
    x.signed = verify(request, this.account, this.now(), this.options.skewLimit);
    if (request.operation === null) throw new Refusal(501, 'NotImplemented', 'The simulator has no such operation.');
    ops.checkName(request.key);
    const size = ops.checkBody(request, this.options);
    await this[`do${request.operation}`](x, size);
  }

  async doPutObject(x, size) {
    const { request } = x;
    const attributes = ops.attributesOf(request.headers);
    this.#checkOverwrite(request);
    const blob = await this.#receive(x, size);
    try {
      this.#checkOverwrite(request);
    } catch (error) {
      blob.drop();
      throw error;
    }
    const object = this.shelf.put(request.key, blob, attributes);
    await this.#answer(x, 200, { 'ETag': object.etag, ...this.#crc(x, blob), ...ops.encryptionHeaders(attributes) });
  }

  async doInitiateMultipartUpload(x, size) {
    const { request } = x;
    await this.#read(x, size, () => {});
    this.#checkOverwrite(request);
    const attributes = ops.attributesOf(request.headers);
    const id = this.shelf.initiate(request.key, attributes);
    await this.#answer(x, 200, ops.encryptionHeaders(attributes), ops.initiatedXml(request, id));
  }

  async doUploadPart(x, size) {
    const { request } = x;
    const number = ops.partNumber(request), id = request.value('uploadId');
    const { attributes } = this.shelf.upload(id, request.key);
    const blob = await this.#receive(x, size);
    try {
      this.shelf.addPart(id, request.key, number, blob);
    } catch (error) {
      blob.drop();
      throw error;
    }
    await this.#answer(x, 200, { 'ETag': `"${blob.md5.toUpperCase()}"`, ...this.#crc(x, blob), ...ops.encryptionHeaders(attributes) });
  }

  async doCompleteMultipartUpload(x, size) {
    const { request } = x;
    const id = request.value('uploadId');
    this.shelf.upload(id, request.key);
    const chunks = [];
    await this.#read(x, size, (chunk) => void chunks.push(chunk));
    const body = Buffer.concat(chunks);
    ops.checkDigest(request, this.options, ops.md5Hex(body));
    const object = await this.shelf.complete(id, request.key, ops.parseParts(body.toString('utf8')));
    await this.#answer(x, 200, { 'ETag': object.etag, ...this.#crc(x, object.blob) }, ops.completedXml(request, object));
  }

  async doAbortMultipartUpload(x, size) {
    await this.#read(x, size, () => {});
    this.shelf.abort(x.request.value('uploadId'), x.request.key);
    await this.#answer(x, 204, {});
  }

  async doListMultipartUploads(x, size) {
    await this.#read(x, size, () => {});
    await this.#answer(x, 200, {}, ops.uploadsXml(x.request, this.shelf.uploads.values()));
  }

  async doDeleteObject(x, size) {
    await this.#read(x, size, () => {});
    this.shelf.remove(x.request.key);
    await this.#answer(x, 204, {});
  }

  async doHeadObject(x, size) {
    await this.#read(x, size, () => {});
    const object = this.#find(x.request);
    await this.#answer(x, 200, { ...ops.objectHeaders(object), ...this.#crc(x, object.blob), 'Content-Length': object.blob.size });
  }

  async doGetObject(x, size) {
    await this.#read(x, size, () => {});
    const { request } = x, object = this.#find(request);
    if (['Archive', 'ColdArchive', 'DeepColdArchive'].includes(object.attributes.storageClass))
      throw new Refusal(403, 'InvalidObjectState', "The operation is not valid for the object's state.");
    const range = ops.parseRange(request.headers.range, object.blob.size);
    const headers = { ...ops.objectHeaders(object), ...this.#crc(x, object.blob), ...ops.overridden(request) };
    if (!range) return this.#send(x, 200, headers, object.blob.size, object.blob.read());
    headers['Content-Range'] = `bytes ${range.first}-${range.last}/${object.blob.size}`;
    delete headers['Content-MD5'];
    await this.#send(x, 206, headers, range.last - range.first + 1, object.blob.read(range.first, range.last));
  }

  #find(request) {
    const object = this.shelf.objects.get(request.key);
    if (!object) throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.', { Key: request.key });
    return object;
  }

  #checkOverwrite(request) {
    if (request.headers['x-oss-forbid-overwrite'] === 'true' && this.shelf.objects.has(request.key))
      throw new Refusal(409, 'FileAlreadyExists', 'The object you specified already exists and can not be overwritten.');
  }

  #crc(x, blob) {
    return { 'x-oss-hash-crc64ecma': x.fault?.kind === 'wrong_crc' ? String(BigInt(blob.crc64) ^ 1n) : blob.crc64 };
  }

  /** The body into a blob of its own, its digest compared. */
  async #receive(x, size) {
    const blob = await this.shelf.blob();
    try {
      await this.#read(x, size, (chunk) => blob.add(chunk));
      await blob.keep();
      ops.checkDigest(x.request, this.options, blob.md5);
      if (x.fault?.kind === 'flip') await blob.flip();
      return blob;
    } catch (error) {
      blob.drop();
      throw error;
    }
  }

  async #read(x, size, take) {
    const { fault, req } = x;
    const limit = fault?.kind === 'cut_request' || fault?.kind === 'stall' ? Math.min(fault.after, size) : Infinity;
    if (limit > 0 && size > 0) {
      for await (const chunk of req.iterator({ destroyOnReturn: false })) {
        x.received += chunk.length;
        await take(chunk);
        if (fault?.bytesPerSecond) await sleep((chunk.length * 1000) / fault.bytesPerSecond);
        if (x.received >= limit) break;
      }
    }
    if (fault?.kind === 'cut_request') throw new Cut();
    if (fault?.kind === 'stall') {
      if (!req.socket.destroyed) await once(req.socket, 'close');
      throw new Cut();
    }
    if (x.received !== size) throw new Cut();
  }

  async #answer(x, status, headers, body = '') {
    const bytes = Buffer.from(body);
    if (bytes.length) headers = { 'Content-Type': 'application/xml', ...headers };
    await this.#send(x, status, headers, bytes.length, bytes.length ? [bytes] : []);
  }

  async #send(x, status, headers, size, chunks) {
    const { res, fault } = x;
    if (fault?.kind === 'lost_answer' || (fault?.kind === 'cut_answer' && (size === 0 || x.req.method === 'HEAD'))) {
      await chunks.return?.();
      throw new Cut();
    }
    const limit = fault?.kind === 'cut_answer' ? Math.min(fault.after, size - 1) : Infinity;
    if (status !== 204) headers = { 'Content-Length': size, ...headers };
    res.writeHead(status, headers);
    if (limit === 0) res.flushHeaders();
    for await (const chunk of chunks) {
      const part = chunk.subarray(0, limit - x.sent);
      x.sent += part.length;
      if (part.length && !res.write(part)) await Promise.race([once(res, 'drain'), once(res, 'close')]);
      if (res.destroyed) throw new Cut();
      if (fault?.bytesPerSecond) await sleep((part.length * 1000) / fault.bytesPerSecond);
      if (x.sent >= limit) {
        await flushed(x.req.socket);
        throw new Cut();
      }
    }
    this.#note(x);
    res.end();
  }

  async #fail(x, error) {
    const { req, res } = x;
    if (!(error instanceof Refusal)) {
      // A Cut, or the client has gone; a mistake of the simulator's own must not pass for either.
      if (!(error instanceof Cut) && !['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(error.code)) console.error(error);
      x.code = 'cut';
      this.#note(x);
      req.socket.resetAndDestroy();
      return;
    }
    const lost = ['lost_answer', 'cut_answer', 'cut_request'].includes(x.fault?.kind);
    x.code = lost ? 'cut' : error.code;
    if (lost || res.headersSent || req.socket.destroyed) {
      this.#note(x);
      return void req.socket.resetAndDestroy();
    }
    const body = Buffer.from(refusalXml(error, x.id, req.headers.host ?? ''));
    const bodiless = req.method === 'HEAD';
    res.writeHead(error.status, { 'Content-Type': 'application/xml', 'x-oss-ec': error.code,
                                  ...(bodiless ? {} : { 'Content-Length': body.length }), ...error.headers });
    x.sent = bodiless ? 0 : body.length;
    this.#note(x);
    res.end(bodiless ? undefined : body);
  }
}

/** A reset takes along what the kernel has not sent yet; so the bytes before a cut are let out first. */
async function flushed(socket) {
  while (socket.writableLength > 0 && !socket.destroyed) await sleep(1);
  await sleep(5);
}
