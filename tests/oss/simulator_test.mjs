// The simulator's own test: sums, vectors, what it refuses, and each fault.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, md5, withSimulator } from './client.mjs';
import { Crc64 } from './crc64.mjs';
import { canonicalRequest, parseQuery, sign, stringToSign } from './signature.mjs';

/** Bit by bit, as the definition has it. */
function slowCrc(bytes) {
  const polynomial = 0xc96c5795d7870f42n, ones = (1n << 64n) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; ++bit) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return (crc ^ ones).toString();
}

test('CRC-64', () => {
  assert.equal(new Crc64().add(Buffer.from('123456789')).toString(), '11051210869376104954');
  const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7919) & 255));
  for (const [first, last] of [[0, 0], [0, 300], [1, 300], [3, 40], [5, 21], [2, 17]]) {
    const part = bytes.subarray(first, last);
    assert.equal(new Crc64().add(part).toString(), slowCrc(part));
    for (const cut of [1, 7, 8, 13])
      assert.equal(new Crc64().add(part.subarray(0, cut)).add(part.subarray(cut)).toString(), slowCrc(part));
  }
});

test('the documented signatures', () => {
  const query = parseQuery('param1=value1&%7Cparam1=value4&%2Bparam1=value3&%2Bparam2=&%7Cparam2&param2=');
  const own = { 'x-oss-head1': 'value', abc: 'value', zabc: 'value', xyz: 'value' };
  const signature = (headers, more, additional, date) => {
    const request = { method: 'PUT', bucket: 'bucket', key: '1234+-/123/1.txt', query: [...query, ...more], headers };
    const day = date.slice(0, 8);
    return sign('sk', day, 'cn-hangzhou', stringToSign(date, `${day}/cn-hangzhou/oss/aliyun_v4_request`,
                                                       canonicalRequest(request, additional, 'UNSIGNED-PAYLOAD')));
  };
  const put = (date) => ({ ...own, 'content-type': 'text/plain', 'x-oss-content-sha256': 'UNSIGNED-PAYLOAD', 'x-oss-date': date });
  assert.equal(signature(put('20231216T162057Z'), [], [], '20231216T162057Z'),
               'e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe');
  assert.equal(signature(put('20231216T172512Z'), [], ['abc', 'zabc'], '20231216T172512Z'),
               '4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f');
  const presigned = [['x-oss-signature-version', 'OSS4-HMAC-SHA256'], ['x-oss-credential', 'ak/20231217/cn-hangzhou/oss/aliyun_v4_request'],
                     ['x-oss-date', '20231217T025437Z'], ['x-oss-expires', '599'], ['x-oss-signature', 'not signed']];
  assert.equal(signature({ ...own, 'content-type': 'application/octet-stream' }, presigned, [], '20231217T025437Z'),
               'a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe');
});

const hour = 3600_000;
const put = { method: 'PUT', key: 'a/b', body: 'content' };
const presigned = { method: 'GET', key: 'there', expires: 60 };
const spoilt = (change) => ({ spoil: change });

const refused = [
  ['SignatureDoesNotMatch', 403, { ...put, secret: 'other' }],
  ['SignatureDoesNotMatch', 403, { ...put, ...spoilt((x) => { x.headers['x-oss-meta-late'] = '1'; }) }],
  ['SignatureDoesNotMatch', 403, { ...put, ...spoilt((x) => { x.path += '?late'; }) }],
  ['SignatureDoesNotMatch', 403, { ...put, ...spoilt((x) => { x.path += 'x'; }) }],
  ['SignatureDoesNotMatch', 403, { ...put, headers: { range: 'bytes=0-1' }, additional: ['range'], ...spoilt((x) => { x.headers.range = 'bytes=0-2'; }) }],
  ['SignatureDoesNotMatch', 403, { ...presigned, ...spoilt((x) => { x.method = 'HEAD'; }), key: 'there' }, 'HEAD'],
  ['SignatureDoesNotMatch', 403, { ...presigned, ...spoilt((x) => { x.path = x.path.replace('expires=60', 'expires=61'); }) }],
  ['InvalidAccessKeyId', 403, { ...put, id: 'nobody' }],
  ['InvalidSecurityToken', 403, { ...put, headers: { 'x-oss-security-token': 'made up' } }],
  ['AccessDenied', 403, { ...put, ...spoilt((x) => { delete x.headers.authorization; }) }],
  ['AccessDenied', 403, { ...presigned, now: Date.now() - hour }],
  ['AccessDenied', 403, { ...presigned, now: Date.now() + hour }],
  ['RequestTimeTooSkewed', 403, { ...put, now: Date.now() - 905_000 }],
  ['RequestTimeTooSkewed', 403, { ...put, now: Date.now() + 905_000 }],
  ['InvalidArgument', 400, { ...put, region: 'cn-shanghai' }],
  ['InvalidArgument', 400, { ...put, day: '20200101' }],
  ['InvalidArgument', 400, { ...put, headers: { 'x-oss-content-sha256': undefined } }],
  ['InvalidArgument', 400, { ...put, headers: { 'x-oss-date': undefined } }],
  ['InvalidArgument', 400, { ...put, headers: { b: '1', a: '1' }, additional: ['b', 'a'] }],
  ['InvalidArgument', 400, { ...put, ...spoilt((x) => { x.headers.authorization = 'OSS ak:c2lnbmF0dXJl'; }) }],
  ['AuthorizationQueryParametersError', 400, { ...presigned, expires: 604801 }],
  ['InvalidDigest', 400, { ...put, headers: { 'content-md5': undefined } }],
  ['InvalidDigest', 400, { ...put, headers: { 'content-md5': 'bm8=' } }],
  ['BadDigest', 400, { ...put, headers: { 'content-md5': md5('other') } }],
  ['MissingContentLength', 411, { ...put, headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } }],
  ['InvalidEncryptionAlgorithmError', 400, { ...put, headers: { 'x-oss-server-side-encryption': 'ROT13' } }],
  ['InvalidArgument', 400, { ...put, headers: { 'x-oss-storage-class': 'Cheap' } }],
  ['InvalidObjectName', 400, { ...put, key: 'k'.repeat(1024) }],
  ['FileAlreadyExists', 409, { ...put, key: 'there', headers: { 'x-oss-forbid-overwrite': 'true' } }],
  ['NoSuchBucket', 404, { ...put, bucket: 'other' }],
  ['NoSuchBucket', 404, { ...put, bucket: 'other', host: 'other.oss-cn-hangzhou.example' }],
  ['NoSuchKey', 404, { key: 'nothing' }],
  ['NoSuchUpload', 404, { ...put, query: [['partNumber', '1'], ['uploadId', 'X']] }],
  ['NoSuchUpload', 404, { method: 'DELETE', key: 'a', query: [['uploadId', 'X']] }],
  ['InvalidRange', 416, { key: 'there', headers: { range: 'bytes=5-' } }],
  ['InvalidObjectState', 403, { key: 'frozen' }],
  ['NotImplemented', 501, { key: 'there', query: [['acl', null]] }],
];

test('what it refuses', () => withSimulator([], async (s) => {
  assert.equal((await s.ask({ ...put, key: 'there', body: '12345' })).status, 200);
  assert.equal((await s.ask({ ...put, key: 'frozen', headers: { 'x-oss-storage-class': 'Archive' } })).status, 200);
  for (const [code, status, given, method] of refused) {
    const answer = await s.ask(given);
    const about = `${code}: ${JSON.stringify(given)} got ${answer.status} ${answer.body}`;
    assert.equal(answer.status, status, about);
    assert.equal(method === 'HEAD' ? answer.headers['x-oss-ec'] : answer.code, code, about);
    assert.match(answer.headers['x-oss-request-id'], /^[0-9A-F]{24}$/);
    if (method !== 'HEAD') for (const part of ['<Message>', '<RequestId>', '<HostId>']) assert.ok(answer.body.includes(part), about);
  }
  assert.deepEqual((await s.tell('GET', 'objects')).objects.map((o) => [o.name, o.puts]), [['there', 1], ['frozen', 1]]);
  assert.equal(readdirSync(s.data).length, 2);
  const { connections } = await s.tell('GET', 'counters');
  assert.ok(connections <= 3, `a refusal costs no connection: ${connections}`);
}));

test('objects', () => withSimulator([], async (s) => {
  const key = 'tenant/2026/11/23/录音 +&?.mp3';
  const body = Buffer.from('123456789');
  const done = await s.ask({ method: 'PUT', key, body, headers: { 'content-type': 'audio/mpeg', 'x-oss-server-side-encryption': 'KMS',
    'x-oss-server-side-encryption-key-id': 'k1', 'x-oss-storage-class': 'IA', 'x-oss-meta-a': 'b' } });
  assert.equal(done.status, 200);
  assert.equal(done.headers['x-oss-hash-crc64ecma'], '11051210869376104954');
  assert.equal(done.headers.etag, '"25F9E794323B453885F5181F1B624D0B"');
  for (const [range, status, text, shown] of [
    [undefined, 200, '123456789'], ['bytes=2-4', 206, '345', 'bytes 2-4/9'], ['bytes=7-', 206, '89', 'bytes 7-8/9'],
    ['bytes=-3', 206, '789', 'bytes 6-8/9'], ['bytes=5-100', 206, '6789', 'bytes 5-8/9'], ['bytes=0-1,3-4', 200, '123456789'],
    ['lines=1-2', 200, '123456789'], ['bytes=4-2', 200, '123456789']])
    for (const given of [{}, { host: `${account.bucket}.oss-cn-hangzhou.example` }, { expires: 60 }]) {
      const got = await s.ask({ key, headers: { range }, ...given });
      assert.deepEqual([got.status, got.body.toString(), got.headers['content-range']], [status, text, shown], String(range));
    }
  const head = await s.ask({ method: 'HEAD', key });
  for (const [name, value] of Object.entries({ 'content-length': '9', 'content-type': 'audio/mpeg', 'x-oss-server-side-encryption': 'KMS',
    'x-oss-server-side-encryption-key-id': 'k1', 'x-oss-storage-class': 'IA', 'x-oss-meta-a': 'b', 'x-oss-hash-crc64ecma': '11051210869376104954' }))
    assert.equal(head.headers[name], value, name);
  const shown = await s.ask({ key, expires: 60, query: [['response-content-disposition', 'inline; filename="x y"']] });
  assert.equal(shown.headers['content-disposition'], 'inline; filename="x y"');

  await s.ask({ method: 'PUT', key, body: 'other' });
  const [object] = (await s.tell('GET', 'objects')).objects;
  assert.deepEqual([object.size, object.puts, object.contentType, object.encryption], [5, 2, 'application/octet-stream', null]);
  assert.equal(readFileSync(object.file, 'utf8'), 'other');
  assert.equal((await s.tell('GET', 'counters')).overwritten, 1);
  for (let i = 0; i < 2; ++i) assert.equal((await s.ask({ method: 'DELETE', key })).status, 204);
  assert.equal((await s.ask({ key })).status, 404);
}));

test('uploads of several parts', () => withSimulator([], async (s) => {
  const parts = [Buffer.alloc(102400, 'a'), Buffer.alloc(150000, 'b'), Buffer.alloc(7, 'c')];
  const whole = Buffer.concat(parts);
  const done = await s.upload('big', parts, { 'content-type': 'audio/mpeg', 'x-oss-storage-class': 'IA' });
  assert.equal(done.status, 200);
  assert.equal(done.headers['x-oss-hash-crc64ecma'], new Crc64().add(whole).toString());
  assert.match(done.headers.etag, /-3"$/);
  assert.deepEqual((await s.ask({ key: 'big' })).body, whole);
  assert.equal((await s.complete('big', done.id, done.list)).code, 'NoSuchUpload');

  const begin = async (key) => /<UploadId>([^<]*)/.exec((await s.ask({ method: 'POST', key, query: [['uploads', null]] })).body)[1];
  const id = await begin('other');
  const part = (number, body, more = {}) => s.ask({ method: 'PUT', key: 'other', query: [['partNumber', String(number)], ['uploadId', id]], body, ...more });
  assert.equal((await part(0, 'x')).code, 'InvalidArgument');
  assert.equal((await part(10001, 'x')).code, 'InvalidArgument');
  assert.equal((await part(1, 'x', { headers: { 'x-oss-server-side-encryption': 'AES256' } })).code, 'InvalidArgument');
  await part(2, 'replaced');
  const tags = [(await part(1, 'small')).headers.etag, (await part(2, parts[0])).headers.etag];
  for (const [code, list] of [
    ['EntityTooSmall', [[1, tags[0]], [2, tags[1]]]], ['InvalidPartOrder', [[2, tags[1]], [1, tags[0]]]],
    ['InvalidPartOrder', [[1, tags[0]], [1, tags[0]]]], ['InvalidPart', [[1, tags[1]]]], ['InvalidPart', [[1, tags[0]], [3, tags[1]]]],
    ['MalformedXML', []]])
    assert.equal((await s.complete('other', id, list)).code, code);
  assert.equal((await s.complete('another', id, [[1, tags[0]]])).code, 'NoSuchUpload');
  assert.deepEqual((await s.tell('GET', 'uploads')).uploads.map((u) => [u.name, u.parts.map((p) => p.size)]), [['other', [5, 102400]]]);
  await begin('b');
  const page = (await s.ask({ query: [['uploads', null], ['max-uploads', '1']] })).body.toString();
  assert.match(page, /<IsTruncated>true<\/IsTruncated>.*<Key>b<\/Key>/s);
  const next = /<NextKeyMarker>([^<]*).*<NextUploadIdMarker>([^<]*)/.exec(page);
  assert.match((await s.ask({ query: [['uploads', null], ['key-marker', next[1]], ['upload-id-marker', next[2]]] })).body.toString(), /<Key>other<\/Key>/);
  assert.match((await s.ask({ query: [['uploads', null], ['prefix', 'oth']] })).body.toString(), /<IsTruncated>false.*<Key>other<\/Key>/);

  assert.equal((await s.ask({ method: 'DELETE', key: 'other', query: [['uploadId', id]] })).status, 204);
  assert.equal((await s.ask({ method: 'DELETE', key: 'other', query: [['uploadId', id]] })).code, 'NoSuchUpload');
  assert.equal((await s.complete('other', id, [[1, tags[0]]])).code, 'NoSuchUpload');
  assert.equal((await s.tell('GET', 'objects')).objects.length, 1);
  assert.equal(readdirSync(s.data).length, 1, 'parts are gone');
}));

const broken = { code: 'ECONNRESET' };
const names = async (s) => (await s.tell('GET', 'objects')).objects.map((o) => o.name);

test('faults', () => withSimulator([], async (s) => {
  const fault = (given) => s.tell('POST', 'faults', given);
  const body = Buffer.alloc(300_000, 'x');
  const ask = (key, more) => s.ask({ method: 'PUT', key, body, ...more });

  for (const after of [0, 1, 150_000, 300_000, [10, 20]]) {
    await fault({ kind: 'cut_request', after });
    await assert.rejects(ask('cut'), broken);
  }
  assert.deepEqual(await names(s), [], 'what breaks off leaves nothing');
  assert.equal(readdirSync(s.data).length, 0);
  await fault({ kind: 'lost_answer' });
  await assert.rejects(ask('lost'), broken);
  await fault({ kind: 'cut_answer' });
  await assert.rejects(ask('cut answer'), broken);
  assert.deepEqual(await names(s), ['lost', 'cut answer']);

  await fault({ kind: 'cut_answer', after: 1000 });
  await assert.rejects(s.ask({ key: 'lost' }), { ...broken, received: 1000 });
  await s.tell('DELETE', 'faults');

  await fault({ kind: 'status', status: 503, retryAfter: 7, count: 2, operation: 'PutObject', key: '^s' });
  assert.equal((await ask('t')).status, 200);
  for (let i = 0; i < 2; ++i) {
    const answer = await ask('s');
    assert.deepEqual([answer.status, answer.code, answer.headers['retry-after']], [503, 'ServiceUnavailable', '7']);
  }
  assert.equal((await ask('s')).status, 200);
  await fault({ kind: 'throttle', status: 429 });
  assert.deepEqual(((x) => [x.status, x.code])(await ask('s')), [429, 'QpsLimitExceeded']);
  await fault({ kind: 'status', status: 500, skip: 1 });
  assert.deepEqual([(await ask('s')).status, (await ask('s')).code], [200, 'InternalError']);

  const right = new Crc64().add(body).toString();
  await fault({ kind: 'wrong_crc' });
  const wrong = await ask('crc');
  assert.equal(wrong.status, 200);
  assert.notEqual(wrong.headers['x-oss-hash-crc64ecma'], right);
  assert.equal((await ask('crc')).headers['x-oss-hash-crc64ecma'], right);
  await fault({ kind: 'flip' });
  const flipped = await ask('flip');
  assert.notEqual(flipped.headers['x-oss-hash-crc64ecma'], right);
  assert.equal(flipped.headers['x-oss-hash-crc64ecma'], new Crc64().add((await s.ask({ key: 'flip' })).body).toString());

  const struck = { kind: 'status', probability: 0.3, seed: 5 };
  const draw = async () => {
    const { id } = await fault(struck);
    const statuses = [];
    for (let i = 0; i < 40; ++i) statuses.push((await s.ask({ method: 'HEAD', key: 'crc' })).status);
    await s.tell('DELETE', `faults?id=${id}`);
    return statuses.join();
  };
  const first = await draw();
  assert.ok(first.includes('503') && first.includes('200'));
  assert.equal(await draw(), first, 'the same seed, the same faults');

  await fault({ kind: 'stall', after: 1000 });
  const stalled = ask('stalled');
  stalled.catch(() => {});
  while (!(await s.tell('GET', 'counters')).faults.stall) await sleep(5);
  await s.tell('POST', 'disconnect');
  await assert.rejects(stalled, broken);
  await fault({ kind: 'slow', bytesPerSecond: 10_000_000, delayMs: 1 });
  assert.equal((await ask('slow')).status, 200);
  await fault({ kind: 'refuse', count: 1 });
  s.agent.destroy();
  await assert.rejects(ask('refused'), broken);
  assert.equal((await ask('refused')).status, 200);
  await assert.rejects(fault({ kind: 'made up' }), /kind is one of/);
  await assert.rejects(fault({ kind: 'slow', byte: 1 }), /no byte/);

  await s.tell('PUT', 'listening', { listening: false });
  s.agent.destroy();
  await assert.rejects(ask('off'), { code: 'ECONNREFUSED' });
  await s.tell('PUT', 'listening', { listening: true });
  assert.equal((await ask('on')).status, 200);
}));

test('clock, credentials, journal', () => withSimulator(['--security-token', 'one', '--journal', join(process.env.TMPDIR ?? '/tmp', `oss-journal-${process.pid}`)], async (s) => {
  const ask = (token, more) => s.ask({ ...put, headers: { 'x-oss-security-token': token }, ...more });
  assert.equal((await ask('one')).status, 200);
  assert.equal((await ask(undefined)).code, 'InvalidAccessKeyId');
  assert.equal((await s.ask({ key: 'a/b', expires: 9, query: [['x-oss-security-token', 'one']] })).status, 200);
  await s.tell('PUT', 'credentials', { securityToken: 'two', accessKeyId: 'ak2' });
  assert.equal((await ask('one', { id: 'ak2' })).code, 'SecurityTokenExpired');
  assert.equal((await ask('two')).code, 'InvalidAccessKeyId');
  assert.equal((await ask('two', { id: 'ak2' })).status, 200);

  await s.tell('PUT', 'clock', { skewSeconds: -1000 });
  const late = await ask('two', { id: 'ak2' });
  assert.equal(late.code, 'RequestTimeTooSkewed');
  assert.match(late.body.toString(), /<ServerTime>/);
  assert.equal((await ask('two', { id: 'ak2', now: Date.now() - 1000_000 })).status, 200);

  const file = join(process.env.TMPDIR ?? '/tmp', `oss-journal-${process.pid}`);
  const lines = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.code), [null, 'InvalidAccessKeyId', null, 'SecurityTokenExpired', 'InvalidAccessKeyId', null, 'RequestTimeTooSkewed', null]);
  assert.deepEqual([lines[0].operation, lines[0].key, lines[0].received, lines[0].signed, lines[2].signed], ['PutObject', 'a/b', 7, 'header', 'query']);
  assert.ok(!/"one"|"two"|Signature=/.test(readFileSync(file, 'utf8')), 'no secret is in the journal');
  assert.equal((await s.tell('GET', 'requests?after=6')).requests.length, 2);
}));

test('a large body in little memory', () => withSimulator(['--addressing', 'path', '--md5', 'checked'], async (s) => {
  const size = 256 << 20, chunk = Buffer.alloc(1 << 20, 'audio');
  const crc = new Crc64();
  const sent = await new Promise((done) => void s.ask({ method: 'PUT', key: 'large', headers: { 'content-length': size, 'content-md5': undefined },
    spoil: done }).catch(() => {}));
  const answer = await new Promise((done, failed) => {
    const req = http.request({ host: '127.0.0.1', port: s.port, ...sent }, (res) => res.resume().on('end', () => done(res)));
    req.on('error', failed);
    let left = size;
    const more = () => {
      for (; left > 0; left -= chunk.length) {
        crc.add(chunk);
        if (!req.write(chunk)) return void ((left -= chunk.length), req.once('drain', more));
      }
      req.end();
    };
    more();
  });
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers['x-oss-hash-crc64ecma'], crc.toString());
  const { rss } = await s.tell('GET', 'counters');
  assert.ok(rss < 200 << 20, `${rss >> 20} MB resident`);
  assert.equal((await s.ask({ key: 'large', host: `${account.bucket}.example` })).code, 'SecondLevelDomainForbidden');
}));
