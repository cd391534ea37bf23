// The second port: what tests do to the simulator and ask of it.
import { Refusal } from './refusal.mjs';

export class Control {
  /** gate: {open(), shut()} of the service's own port. */
  constructor(service, shelf, faults, journal, gate) {
    Object.assign(this, { service, shelf, faults, journal, gate });
  }

  async handle(req, res) {
    let status = 200, answer;
    try {
      const chunks = [];
      for await (const chunk of req) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString('utf8');
      const [path, query] = req.url.split('?');
      const what = `${req.method} ${path.replace(/^\/_control\//, '')}`;
      answer = (await this.#act(what, parse(text), new URLSearchParams(query))) ?? {};
    } catch (error) {
      status = error instanceof Refusal ? error.status : 400;
      answer = { error: error.message };
    }
    const body = JSON.stringify(answer);
    res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    res.end(body);
  }

  async #act(what, body, query) {
    const { service, shelf, faults, journal } = this;
    switch (what) {
      case 'GET objects': return { objects: this.#objects(query.get('prefix') ?? '') };
      case 'GET uploads': return { uploads: this.#uploads() };
      case 'GET counters': return this.#counters();
      case 'GET requests': return { requests: journal.latest.filter((line) => line.number > +(query.get('after') ?? 0)) };
      case 'GET faults': return { faults: faults.all.map((fault) => fault.show()) };
      case 'POST faults': {
        const added = (Array.isArray(body.faults) ? body.faults : [body]).map((given) => faults.add(given).id);
        return { id: added[0], ids: added };
      }
      case 'DELETE faults': return faults.remove(query.has('id') ? +query.get('id') : undefined);
      case 'PUT clock':
        if (!Number.isFinite(body.skewSeconds)) throw new Refusal(400, 'InvalidArgument', 'skewSeconds is a number');
        service.skewMs = body.skewSeconds * 1000;
        return { skewSeconds: body.skewSeconds };
      case 'PUT listening':
        await (body.listening ? this.gate.open() : this.gate.shut());
        return { listening: body.listening };
      case 'PUT credentials': return this.#change(body);
      case 'POST disconnect': return this.gate.disconnect();
      case 'POST clear': return shelf.clear();
      default: throw new Refusal(404, 'NotFound', `no ${what}`);
    }
  }

  #objects(prefix) {
    return [...this.shelf.objects.values()].filter((o) => o.name.startsWith(prefix)).map((o) => ({
      name: o.name, size: o.blob.size, crc64: o.blob.crc64, md5: o.blob.md5, etag: o.etag, type: o.type,
      puts: this.shelf.puts.get(o.name), contentType: o.attributes.contentType, encryption: o.attributes.encryption,
      kmsKey: o.attributes.kmsKey, storageClass: o.attributes.storageClass, meta: o.attributes.meta,
      modified: new Date(o.modified).toISOString(), file: o.blob.file,
    }));
  }

  #uploads() {
    return [...this.shelf.uploads.values()].map((u) => ({
      uploadId: u.id, name: u.key, initiated: new Date(u.initiated).toISOString(), encryption: u.attributes.encryption,
      storageClass: u.attributes.storageClass,
      parts: [...u.parts].sort(([a], [b]) => a - b).map(([number, b]) => ({ number, size: b.size, md5: b.md5, crc64: b.crc64 })),
    }));
  }

  #counters() {
    return { ...this.journal.counters, faults: this.faults.applied, overwritten: this.shelf.overwritten,
             objects: this.shelf.objects.size, uploads: this.shelf.uploads.size, rss: process.memoryUsage().rss };
  }

  /** A new token makes the one before it an expired one. */
  #change(body) {
    const { account } = this.service;
    if (body.securityToken !== undefined && body.securityToken !== account.securityToken && account.securityToken)
      account.pastTokens.push(account.securityToken);
    for (const name of ['accessKeyId', 'accessKeySecret', 'securityToken'])
      if (body[name] !== undefined) account[name] = String(body[name]);
    return {};
  }
}

function parse(text) {
  if (text === '') return {};
  const body = JSON.parse(text);
  if (body === null || typeof body !== 'object') throw new Refusal(400, 'InvalidArgument', 'the body is an object');
  return body;
}
