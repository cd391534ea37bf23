// Requests by the document, right ones and ones broken in one or two ways. Each is
// { method, path, query, headers: [[name, value]…], body, raw, … } as Maker.make() says.
import { Values } from './values.mjs';

const encode = (value) => encodeURIComponent(String(value));
const safe = (text) => String(text).toWellFormed?.() ?? String(text).replace(/[\ud800-\udfff]/g, '?');

export class Maker {
  /** `keys`: the whole one first. */
  constructor(document, dice, pool, keys) {
    this.document = document;
    this.dice = dice;
    this.values = new Values(dice, pool);
    this.keys = keys;
    // What changes channels or removes things comes less often, or soon nothing would be left to ask about.
    this.weighted = document.operations.flatMap((operation) =>
      Array(operation.method === 'patch' ? 1 : operation.method === 'delete' ? 2 : operation.operationId === 'createCall' ? 12 : 6).fill(operation));
  }

  /**
   * A request: `bytes` to be written in `parts`; `method`, `path`, `query`, `headers`, `body` as the document shall
   * judge it (path null where the server can't know it); `broken`: how, '' = not; `wait`: seconds that it may take;
   * `mute`: it is cut, so no answer is due.
   */
  make() {
    const { dice } = this;
    if (dice.chance(0.03)) return this.garbage();
    const request = this.right(dice.pick(this.weighted));
    const ways = dice.chance(0.45) ? 0 : dice.chance(0.85) ? 1 : 2;
    for (let i = 0; i < ways; ++i) this.breakOnce(request);
    return this.finish(request);
  }

  right(operation) {
    const request = { operation, method: operation.method.toUpperCase(), query: [], headers: [['Host', 'cc.test']], broken: [], close: false };
    if (request.method === 'GET' && this.dice.chance(0.05)) request.method = 'HEAD';
    request.segments = operation.segments.map((segment) => {
      if (!segment.startsWith('{')) return segment;
      const name = segment.slice(1, -1);
      const { schema, example } = operation.parameters.find((parameter) => parameter.name === name);
      return encode(safe(this.values.right({ example, ...schema }, name)));
    });
    // A signed URL can't be made up: one that an answer told of.
    const told = operation.operationId === 'getFile' ? this.values.known('url') : undefined;
    if (told) {
      const url = new URL(told);
      request.segments = url.pathname.slice(1).split('/');
      request.rawQuery = url.search.slice(1);
    }
    for (const parameter of operation.parameters) {
      if (told && parameter.in === 'query') continue;
      if (parameter.in === 'path' || !this.dice.chance(parameter.required ? 1 : 0.25)) continue;
      const value = this.values.right(parameter.schema, parameter.name);
      if (parameter.in === 'query') request.query.push([parameter.name, [].concat(value).map(safe).join(',')]);
      else request.headers.push([parameter.name, parameter.name === 'Prefer' ? `wait=${this.dice.between(0, 1)}` : value]);
    }
    if (operation.security.length > 0) request.headers.push(['Authorization', `Bearer ${this.keys[0]}`]);
    if (operation.requestBody && (operation.requestBody.required || this.dice.chance(0.5))) {
      // null puts back what was set: else all channels would soon be switched off.
      this.values.nulls = operation.method === 'patch' ? 0.7 : 0.15;
      request.value = this.values.right(operation.requestBody.content['application/json'].schema);
      request.body = Buffer.from(JSON.stringify(request.value));
      request.headers.push(['Content-Type', 'application/json']);
    }
    return request;
  }

  breakOnce(request) {
    const ways = ['query', 'query', 'path', 'method', 'key', 'headers', 'framing'];
    if (request.body) ways.push('member', 'member', 'member', 'json', 'type');
    const way = this.dice.pick(ways);
    request.broken.push(way);
    this[way](request);
  }

  query(request) {
    const { dice, values } = this;
    const names = request.operation.parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name);
    const name = names.length > 0 && dice.chance(0.7) ? dice.pick(names) : dice.pick(['unknown', 'caller', 'called', 'Limit', '', '__proto__', 'x'.repeat(80)]);
    dice.pick([
      () => request.query.push([name, safe(values.wrong())]),
      () => request.query.push([name, '1'], [name, '1']),
      () => { request.rawQuery = `${name}=%zz`; },
      () => { request.rawQuery = `${name}=%ff%fe`; },
      () => { request.rawQuery = `${name}=%00`; },
      () => { request.rawQuery = '&&=&?='; },
      () => { request.rawQuery = `${name}=${'9'.repeat(dice.pick([100, 3000, 9000]))}`; },
    ])();
  }

  path(request) {
    const { dice, values } = this;
    const last = request.segments.length - 1;
    dice.pick([
      () => request.segments.push(''), () => request.segments.unshift(''), () => { request.segments[last] += '/..'; },
      () => request.segments.push('unknown'), () => { request.segments[dice.between(0, last)] = encode(safe(values.wrong())) || 'x'; },
      () => { request.segments[0] = request.segments[0].toUpperCase(); }, () => { request.segments[last] += '%2f'; },
      () => { request.segments[last] += '%00'; }, () => { request.segments[last] = '%ff'; }, () => { request.segments[last] += '%'; },
      () => { request.segments[last] = '9'.repeat(dice.pick([19, 20, 300])); }, () => { request.segments[last] = 'a'.repeat(8200); },
    ])();
  }

  method(request) {
    request.method = this.dice.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND', 'get', 'X'.repeat(30)]);
  }

  key(request) {
    const { dice, values } = this;
    request.headers = request.headers.filter(([name]) => name !== 'Authorization');
    const header = (value) => request.headers.push(['Authorization', value]);
    dice.pick([
      () => {}, () => header('Bearer'), () => header('Bearer x'), () => header(`Basic ${this.keys[0]}`), () => header(`Bearer ${this.keys[0]}x`),
      () => header(`Bearer ${'k'.repeat(5000)}`), () => { header(`Bearer ${this.keys[0]}`); header('Bearer x'); },
      () => header(`bearer   ${this.keys[0]}`), () => header(`Bearer ${dice.pick(this.keys)}`), () => header(`Bearer ${dice.pick(this.keys)}`),
      () => header(`Bearer ${Buffer.from(values.text(20)).toString('base64url')}`),
    ])();
  }

  headers(request) {
    const { dice } = this;
    const add = (name, value) => request.headers.push([name, value]);
    dice.pick([
      () => add('Request-Id', 'x'.repeat(65)), () => add('Request-Id', 'a b'), () => { add('Request-Id', 'one'); add('Request-Id', 'two'); },
      () => add('Idempotency-Key', ''), () => add('Idempotency-Key', 'x'.repeat(129)), () => add('Idempotency-Key', 'a b'),
      () => { add('Idempotency-Key', 'k'); add('Idempotency-Key', 'k'); },
      () => add('Prefer', 'wait=-1, wait=x'), () => add('Prefer', ';;,=,"'), () => add('Prefer', 'respond-async; wait'),
      () => add('X-Long', 'h'.repeat(dice.pick([4000, 17000]))), () => { for (let i = 0; i < 120; ++i) add(`X-${i}`, 'v'); },
      () => add('Expect', 'tea'), () => add('Accept', 'nothing/at-all'), () => add('If-None-Match', dice.pick(['*', '"x"', ',,', 'W/'])),
      () => add('X-Forwarded-For', '1.2.3.4, evil'), () => add('Range', 'bytes=0-1'), () => add('Content-Encoding', 'gzip'), () => add('Cookie', 'a=b'),
    ])();
  }

  framing(request) {
    const { dice } = this;
    request.framing = dice.pick(['chunked', 'chunked', 'expect', 'expect', 'slow', 'slow', 'close', 'http10', 'two lengths', 'both', 'no host', 'two hosts', 'space',
      'fold', 'short', 'bad chunk', 'negative', 'bare lf', 'control', 'absolute']);
  }

  member(request) {
    const { dice, values } = this;
    const value = request.value;
    if (value === null || typeof value !== 'object') return;
    const known = Object.keys(request.operation.requestBody.content['application/json'].schema.properties ?? {});
    const place = dice.pick(known);
    dice.pick([
      () => { value[place] = values.wrong(); }, () => { value[place] = values.wrong(); }, () => { value[place] = values.wrong(); },
      () => { delete value[dice.pick(Object.keys(value))]; },
      () => { value[dice.pick(['unknown', '', 'Called', 'x'.repeat(100), '\u0000', '13812345678'])] = values.wrong(); },
      () => { if (value[place] && typeof value[place] === 'object') value[place].more = values.wrong(); else value[place] = [values.wrong()]; },
    ])();
    request.body = Buffer.from(JSON.stringify(value));
  }

  json(request) {
    const { dice } = this;
    const text = request.body.toString();
    const cut = dice.between(0, text.length);
    request.body = dice.pick([
      () => text.slice(0, cut), () => `${text}}`, () => `[${text}]`, () => 'null', () => '', () => '"x"', () => '\ufeff' + text,
      () => '['.repeat(5000), () => '{"a":'.repeat(40) + '1' + '}'.repeat(40), () => `{"called":"13800138000",${text.slice(1)}`, () => text.replace(/"/g, "'"),
      () => `${text.slice(0, -1)}${text.length > 2 ? ',' : ''}"maxDuration":1e999}`, () => `${text.slice(0, -1)}${text.length > 2 ? ',' : ''}"record":tru}`,
      () => Buffer.concat([Buffer.from(text.slice(0, -1) + (text.length > 2 ? ',' : '') + '"bizData":"'), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')]),
      () => text.slice(0, cut) + '\u0000' + text.slice(cut), () => JSON.stringify({ bizData: 'x'.repeat(70000) }), () => `${text} `.repeat(2), () => '-', () => '{"a":1,"a":2}',
    ])();
    request.body = Buffer.from(request.body);
  }

  type(request) {
    request.headers = request.headers.filter(([name]) => name !== 'Content-Type');
    const type = this.dice.pick([null, 'text/plain', 'application/json; charset=gbk', 'application/json;charset=UTF-8', 'APPLICATION/JSON', 'multipart/form-data', 'application/xml', ';;', '']);
    if (type !== null) request.headers.push(['Content-Type', type]);
  }

  /** Bytes that are no request, or only the beginning of one. */
  garbage() {
    const { dice } = this;
    const bytes = dice.pick([
      () => Buffer.from(Array.from({ length: dice.between(1, 400) }, () => dice.between(0, 255))),
      () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), () => Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'),
      () => Buffer.from('GET /healthz HTTP/3.9\r\nHost: x\r\n\r\n'), () => Buffer.from('GET ftp://elsewhere.test/v1 HTTP/1.1\r\nHost: x\r\n\r\n'),
      () => Buffer.from('CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n'), () => Buffer.from('GET\r\n\r\n'), () => Buffer.from('\r\n\r\n\r\n'),
      () => Buffer.from('POST /v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"called"'), () => Buffer.from('GET /v1/cal'),
    ])();
    return { method: '', path: null, query: '', headers: {}, body: '', parts: [bytes], broken: ['garbage'], mute: true, wait: 0 };
  }

  finish(request) {
    const path = '/' + request.segments.join('/');
    const query = request.rawQuery ?? request.query.map(([name, value]) => `${encode(safe(name))}=${encode(value)}`).join('&');
    const { parts, known, mute } = frame(request, path + (query ? `?${query}` : ''));
    const headers = {};
    for (const [name, value] of request.headers) headers[name.toLowerCase()] ??= String(value);
    const wait = Math.max(Number(/(?:^|&)wait=(\d{1,2})(?:&|$)/.exec(query)?.[1] ?? 0), 2);
    return { method: request.method, path: known ? path : null, query, headers, body: request.body?.toString() ?? '', parts, broken: request.broken, mute, wait };
  }
}

const lines = (headers) => headers.map(([name, value]) => `${name}: ${Buffer.from(safe(value)).toString('latin1').replace(/[\r\n\0]/g, '?')}\r\n`).join('');

/** The request's bytes. `known`: the server can make out method and path; `mute`: it can't answer. */
function frame(request, target) {
  const { headers, framing } = request;
  const body = request.body ?? Buffer.alloc(0);
  const form = framing === 'absolute' ? 'http://cc.test' : '';
  const start = `${request.method} ${form}${target} HTTP/${framing === 'http10' ? '1.0' : '1.1'}\r\n`;
  const sized = body.length > 0 || !['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(request.method) ? [['Content-Length', body.length]] : [];
  const plain = (list, more = '') => Buffer.concat([Buffer.from(start + more + lines(list) + '\r\n', 'latin1'), body]);
  const chunked = (end) => Buffer.concat([Buffer.from(start + lines([...headers, ['Transfer-Encoding', 'chunked']]) + '\r\n', 'latin1'),
    body.length > 0 ? Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]) : Buffer.alloc(0), Buffer.from(end)]);
  const one = (bytes, known = true, mute = false) => ({ parts: [bytes], known, mute });
  switch (framing) {
    case 'chunked': return one(chunked('0\r\n\r\n'));
    case 'bad chunk': return one(chunked('zz\r\n\r\n'), false);
    case 'expect': return one(plain([...headers, ['Expect', '100-continue'], ...sized]));
    case 'close': return one(plain([...headers, ['Connection', 'close'], ...sized]));
    case 'two lengths': return one(plain([...headers, ['Content-Length', body.length], ['Content-Length', body.length + 1]]), false);
    case 'both': return one(plain([...headers, ['Content-Length', body.length], ['Transfer-Encoding', 'chunked']]), false);
    case 'no host': return one(plain([...headers.filter(([name]) => name !== 'Host'), ...sized]), false);
    case 'two hosts': return one(plain([['Host', 'other'], ...headers, ...sized]), false);
    case 'space': return one(plain([...headers, ...sized], 'X-Space : 1\r\n'), false);
    case 'fold': return one(plain([...headers, ...sized], 'X-Fold: 1\r\n  2\r\n'));
    case 'control': return one(plain([...headers, ...sized], 'X-Control: a\x01b\r\n'), false);
    case 'negative': return one(plain([...headers, ['Content-Length', '-5']]), false);
    case 'short': return one(plain([...headers, ['Content-Length', body.length + 10]]), false, true);
    case 'bare lf': return one(Buffer.from(plain([...headers, ...sized]).toString('latin1').replaceAll('\r\n', '\n'), 'latin1'), false, true);
    case 'slow': {
      const bytes = plain([...headers, ...sized]);
      const third = Math.ceil(bytes.length / 3);
      return { parts: [bytes.subarray(0, third), bytes.subarray(third, 2 * third), bytes.subarray(2 * third)], known: true, mute: false };
    }
    default: return one(plain([...headers, ...sized]));
  }
}
