// A small client for the simulator's own tests: it starts one, signs for it, and can leave anything out.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { canonicalRequest, sign, stringToSign, uriEncode } from './signature.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const account = { id: 'ak', secret: 'sk', region: 'cn-hangzhou', bucket: 'bucket' };
export const md5 = (body) => createHash('md5').update(body).digest('base64');

/** Runs a simulator for as long as `use` takes. */
export async function withSimulator(more, use) {
  const data = mkdtempSync(join(tmpdir(), 'cc-oss-'));
  const child = spawn(process.execPath, [join(here, 'simulator.mjs'), '--data', data, '--bucket', account.bucket,
    '--region', account.region, '--access-key-id', account.id, '--access-key-secret', account.secret, '--with-parent',
    ...more], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise((done) => child.once('exit', done));
  try {
    const line = await new Promise((done, failed) => {
      createInterface(child.stdout).once('line', done);
      gone.then((code) => failed(new Error(`the simulator ended with ${code}`)));
    });
    await use(new Client(JSON.parse(line), data));
  } finally {
    child.stdin.end();
    await gone;
    rmSync(data, { recursive: true, force: true });
  }
}

class Client {
  constructor({ port, control }, data) {
    Object.assign(this, { port, controlPort: control, data, agent: new http.Agent({ keepAlive: true }) });
  }

  /** The control port. */
  async tell(method, path, body) {
    const response = await fetch(`http://127.0.0.1:${this.controlPort}/_control/${path}`,
      { method, body: body && JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }

  /**
   * {method, key, query, headers, body, host, now, expires, additional, id, secret, region, day, spoil}; `expires`
   * signs in the query; `spoil` changes {method, path, headers} after signing. A header undefined is left out.
   */
  async ask(given) {
    const x = { method: 'GET', key: '', query: [], body: '', host: '127.0.0.1', now: Date.now(), additional: [], ...account, ...given };
    const date = new Date(x.now).toISOString().replace(/[-:]|\.\d+/g, '');
    const day = x.day ?? date.slice(0, 8), scope = `${day}/${x.region}/oss/aliyun_v4_request`;
    const query = [...x.query];
    const bodied = x.method === 'PUT' || x.body !== '';
    const headers = { host: x.host, ...(bodied ? { 'content-length': Buffer.byteLength(x.body), 'content-md5': md5(x.body) } : {}) };
    if (x.expires === undefined) Object.assign(headers, { 'x-oss-date': date, 'x-oss-content-sha256': 'UNSIGNED-PAYLOAD' });
    else query.push(['x-oss-signature-version', 'OSS4-HMAC-SHA256'], ['x-oss-credential', `${x.id}/${scope}`],
                    ['x-oss-date', date], ['x-oss-expires', String(x.expires)],
                    ...(x.additional.length ? [['x-oss-additional-headers', x.additional.join(';')]] : []));
    for (const [name, value] of Object.entries(x.headers ?? {}))
      if (value === undefined) delete headers[name]; else headers[name] = value;
    const canonical = canonicalRequest({ method: x.method, bucket: x.bucket, key: x.key, query, headers }, x.additional, 'UNSIGNED-PAYLOAD');
    const signature = sign(x.secret, day, x.region, stringToSign(date, scope, canonical));
    if (x.expires !== undefined) query.push(['x-oss-signature', signature]);
    else headers.authorization = `OSS4-HMAC-SHA256 Credential=${x.id}/${scope}` +
      (x.additional.length ? `,AdditionalHeaders=${x.additional.join(';')}` : '') + `,Signature=${signature}`;
    const line = query.map(([n, v]) => uriEncode(n) + (v === null ? '' : '=' + uriEncode(v))).join('&');
    const root = /^[\d.]+$/.test(x.host) ? `/${x.bucket}/` : '/';
    const sent = { method: x.method, path: root + uriEncode(x.key, true) + (line ? '?' + line : ''), headers };
    x.spoil?.(sent);
    return this.send(sent, x.body);
  }

  /** What a broken connection rejects with has `received`: bytes of the answer's body. */
  send({ method, path, headers }, body) {
    return new Promise((done, failed) => {
      const req = http.request({ host: '127.0.0.1', port: this.port, method, path, headers, agent: this.agent, setHost: false });
      const chunks = [];
      const fail = (error) => failed(Object.assign(error, { received: Buffer.concat(chunks).length }));
      req.on('error', fail);
      req.on('response', (res) => {
        res.on('data', (chunk) => chunks.push(chunk)).on('error', fail).on('end', () => {
          const bytes = Buffer.concat(chunks);
          done({ status: res.statusCode, headers: res.headers, body: bytes, code: /<Code>([^<]*)/.exec(bytes)?.[1] });
        });
      });
      req.end(body);
    });
  }

  /** A whole multipart upload; answers the last request's answer. */
  async upload(key, parts, headers = {}) {
    const begun = await this.ask({ method: 'POST', key, query: [['uploads', null]], headers });
    const id = /<UploadId>([^<]*)/.exec(begun.body)[1];
    const list = [];
    for (const [i, body] of parts.entries()) {
      const answer = await this.ask({ method: 'PUT', key, query: [['partNumber', String(i + 1)], ['uploadId', id]], body });
      list.push([i + 1, answer.headers.etag]);
    }
    return { id, list, ...(await this.complete(key, id, list)) };
  }

  complete(key, id, list) {
    const body = '<CompleteMultipartUpload>' + list.map(([n, tag]) => `<Part><PartNumber>${n}</PartNumber><ETag>${tag}</ETag></Part>`)
      .join('') + '</CompleteMultipartUpload>';
    return this.ask({ method: 'POST', key, query: [['uploadId', id]], body });
  }
}
