// oracle.mjs PRINT_SIGNED: Aliyun's own client as the judge. It accepts the product's signatures, it works with
// the simulator, and the simulator accepts what the product signs. SEED repeats a run.
import { execFileSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createRequire } from 'node:module';
import http from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { account, md5, withSimulator } from './client.mjs';
import { parseQuery, verify } from './signature.mjs';

const need = createRequire(join(process.env.CC_OSS_TOOLS, 'tools.js'));
const OSS = need('ali-oss');
const signUtils = need('ali-oss/lib/common/signUtils');
const program = process.argv[2];

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const random = dice(seed);
const count = 400;

function dice(state) {
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
}
const pick = (list) => list[random(list.length)];
const string = (letters, least, most) =>
  Array.from({ length: least + random(most - least + 1) }, () => pick([...letters])).join('');

const plain = 'abcdefghijklmnopqrstuvw';  // its query names sort alike by byte and by locale
const any = "abzAZ059-_.~ +&=%?#/:;,'()*!$@[]{}|^\"\\录音é😀";

/** `wild`: names that ali-oss sorts in another way or cannot express at all. */
function drawRequest(wild) {
  const names = new Set(Array.from({ length: random(5) }, () => string(wild ? any : plain, 1, 8)));
  const query = [...names].map((name) => [name, random(4) === 0 ? '' : string(any, 1, 12)]);
  if (wild && query.length) query.push([query[0][0], string(any, 1, 5)]);
  const headers = [];
  if (random(2)) headers.push(['Content-Type', pick(['audio/mpeg', 'audio/wav', 'text/plain; charset=UTF-8'])]);
  if (random(2)) headers.push(['Content-MD5', md5(string(any, 0, 20))]);
  for (let i = random(3); i > 0; --i)
    headers.push([`x-oss-meta-${string(plain, 1, 6)}${i}`, pick(['', ' ', '\t']) + string('abc XYZ:/录音', 1, 9) + pick(['', ' '])]);
  const additional = [];
  for (const name of ['Host', 'Range', 'If-Match'])
    if (random(3) === 0) {
      headers.push([name, string('abc019.', 1, 9)]);
      if (random(2)) additional.push(name);
    }
  return {
    method: pick(['GET', 'PUT', 'HEAD', 'DELETE', 'POST']),
    bucket: string(plain + '019-', 3, 12),
    key: string(any, 1, 40).replace(/^[/\\]+/, 'k'),
    query, headers, additional,
    nowMs: 1_600_000_000_000 + random(400_000_000) * 1000,
    ...(random(2) ? { ttl: 1 + random(604800) } : {}),
    signer: { id: string(plain + 'AZ09', 4, 24), secret: string(plain + 'AZ09+/', 4, 30),
              token: random(3) ? '' : string(plain + '+/=', 10, 60), region: pick(['cn-hangzhou', 'cn-shanghai-finance-1', 'us-west-1']) },
  };
}

function sign(requests) {
  const out = execFileSync(program, { input: requests.map((r) => JSON.stringify(r) + '\n').join(''), maxBuffer: 1 << 27 });
  const lines = out.toString('utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines.length, requests.length);
  return lines;
}

const lowered = (pairs) => Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]));

/** Both ways of signing as {signature, additional, headers, query (with null for an empty value)}. */
function taken(request, line) {
  if (request.ttl === undefined) {
    const headers = lowered(line.headers);
    const m = /^OSS4-HMAC-SHA256 Credential=([^,]+),(?:AdditionalHeaders=([^,]+),)?Signature=([0-9a-f]{64})$/.exec(headers.authorization);
    assert.ok(m, `Authorization is malformed: ${headers.authorization}`);
    delete headers.authorization;
    return { credential: m[1], signature: m[3], additional: m[2]?.split(';') ?? [], headers, query: parseQuery(line.query),
             date: headers['x-oss-date'] };
  }
  const query = parseQuery(line.query);
  const value = (name) => query.find(([n]) => n === name)?.[1];
  return { credential: value('x-oss-credential'), signature: value('x-oss-signature'), date: value('x-oss-date'),
           additional: value('x-oss-additional-headers')?.split(';') ?? [], headers: lowered(request.headers),
           query: query.filter(([n]) => n !== 'x-oss-signature') };
}

test(`ali-oss reckons the product's signatures (SEED=${seed})`, () => {
  const requests = Array.from({ length: count }, () => drawRequest(false));
  sign(requests).forEach((line, i) => {
    const request = requests[i], { signer } = request, got = taken(request, line);
    const day = got.date.slice(0, 8);
    assert.equal(got.credential, signUtils.getCredential(day, signer.region, signer.id));
    const fixed = signUtils.fixAdditionalHeaders(request.additional);
    assert.deepEqual(got.additional, fixed);
    const queries = Object.fromEntries(got.query);
    for (const [name, value] of request.query) assert.equal(queries[name] ?? '', value);
    if (signer.token)
      assert.equal(request.ttl === undefined ? got.headers['x-oss-security-token'] : queries['x-oss-security-token'], signer.token);
    const canonical = signUtils.getCanonicalRequest(request.method, { headers: got.headers, queries }, request.bucket, request.key, fixed);
    const text = signUtils.getStringToSign(signer.region, got.date, canonical);
    assert.equal(got.signature, signUtils.getSignatureV4(signer.secret, day, signer.region, text),
                 `request ${i}: ${JSON.stringify(request)}\nali-oss's canonical request:\n${canonical}`);
  });
});

test(`the simulator accepts the product's signatures, of any names (SEED=${seed})`, () => {
  const requests = Array.from({ length: count }, () => drawRequest(true));
  sign(requests).forEach((line, i) => {
    const request = requests[i], { signer } = request;
    const latin = (pairs) => lowered(pairs.map(([n, v]) => [n, Buffer.from(v, 'utf8').toString('latin1')]));
    const seen = { method: request.method, bucket: request.bucket, key: request.key, query: parseQuery(line.query),
                   headers: latin(line.headers ?? request.headers) };
    const accountOf = { accessKeyId: signer.id, accessKeySecret: signer.secret, securityToken: signer.token, pastTokens: [],
                        region: signer.region };
    const how = verify(seen, accountOf, request.nowMs, 900);
    assert.equal(how, request.ttl === undefined ? 'header' : 'query');
    const other = { ...accountOf, accessKeySecret: signer.secret + 'x' };
    assert.throws(() => verify(seen, other, request.nowMs, 900), { code: 'SignatureDoesNotMatch' });
  });
});

test("the documented vectors, by the product's code", () => {
  const base = { method: 'PUT', bucket: 'bucket', key: '1234+-/123/1.txt',
                 query: [['param1', 'value1'], ['|param1', 'value4'], ['+param1', 'value3'], ['+param2', ''], ['|param2', ''], ['param2', '']],
                 signer: { id: 'ak', secret: 'sk', token: '', region: 'cn-hangzhou' } };
  const own = [['x-oss-head1', 'value'], ['abc', 'value'], ['ZAbc', 'value'], ['XYZ', 'value']];
  const put = [...own, ['content-type', 'text/plain'], ['x-oss-content-sha256', 'UNSIGNED-PAYLOAD']];
  const requests = [
    { ...base, headers: put, additional: [], nowMs: 1702743657000 },
    { ...base, headers: put, additional: ['ZAbc', 'abc'], nowMs: 1702747512000 },
    { ...base, headers: [...own, ['content-type', 'application/octet-stream']], additional: [], nowMs: 1702781677000, ttl: 599 },
  ];
  assert.deepEqual(sign(requests).map((line, i) => taken(requests[i], line).signature), [
    'e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe',
    '4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f',
    'a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe']);
});

/** A client of ali-oss's whose every host is this machine. */
function client(simulator, more = {}) {
  const agent = new http.Agent({ keepAlive: true, lookup: (host, options, done) =>
    options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4) });
  return new OSS({ accessKeyId: account.id, accessKeySecret: account.secret, region: `oss-${account.region}`, bucket: account.bucket,
                   endpoint: `http://oss-${account.region}.example:${simulator.port}`, secure: false, authorizationV4: true, agent, ...more });
}

async function roundTrip(simulator, oss) {
  const name = `t/2026/11/23/录 音+${random(1e9)}.mp3`;
  const body = Buffer.alloc(70_000, string(any, 5, 9));
  const put = await oss.put(name, body, { headers: { 'x-oss-storage-class': 'IA', 'x-oss-server-side-encryption': 'AES256' } });
  assert.equal(put.res.status, 200);
  assert.deepEqual((await oss.get(name)).content, body);
  const part = await oss.get(name, undefined, { headers: { Range: 'bytes=100-199' } });
  assert.equal(part.res.status, 206);
  assert.deepEqual(part.content, body.subarray(100, 200));
  const head = await oss.head(name);
  assert.equal(head.res.headers['content-length'], '70000');
  assert.equal(head.res.headers['x-oss-server-side-encryption'], 'AES256');
  const big = Buffer.alloc(1_000_000, string(any, 5, 9));
  const parts = await oss.multipartUpload(`${name}.big`, big, { partSize: 300 * 1024, parallel: 2 });
  assert.equal(parts.res.status, 200);
  assert.deepEqual((await oss.get(`${name}.big`)).content, big);
  const shown = (await simulator.tell('GET', 'objects')).objects.filter((o) => o.name.startsWith(name));
  assert.deepEqual(shown.map((o) => [o.size, o.type, o.storageClass, o.encryption, o.puts]),
                   [[70000, 'Normal', 'IA', 'AES256', 1], [1000000, 'Multipart', 'Standard', null, 1]]);
  assert.equal(shown[1].md5, Buffer.from(md5(big), 'base64').toString('hex'));
  const url = new URL(await oss.signatureUrlV4('GET', 60, { queries: { 'response-content-type': 'audio/x' } }, name));
  const answer = await simulator.send({ method: 'GET', path: url.pathname + url.search, headers: { Host: url.host } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'audio/x');
  assert.deepEqual(answer.body, body);
  const upload = await oss.initMultipartUpload(`${name}.never`);
  assert.deepEqual((await oss.listUploads({})).uploads.map((u) => u.uploadId), [upload.uploadId]);
  await oss.abortMultipartUpload(`${name}.never`, upload.uploadId);
  assert.equal((await oss.listUploads({})).uploads?.length ?? 0, 0);
  await oss.delete(name);
  await assert.rejects(oss.get(name), { code: 'NoSuchKey', status: 404 });
}

test('ali-oss works with the simulator', () => withSimulator(['--md5', 'checked'], async (simulator) => {
  await roundTrip(simulator, client(simulator));
  await roundTrip(simulator, client(simulator, { sldEnable: true }));  // path-style
  const { addressing } = await simulator.tell('GET', 'counters');
  assert.ok(addressing.virtual > 5 && addressing.path > 5, JSON.stringify(addressing));
  await assert.rejects(client(simulator, { accessKeySecret: 'wrong' }).put('x', Buffer.from('x')), { code: 'SignatureDoesNotMatch' });
}));

test('ali-oss works with the simulator by a token', () => withSimulator(['--md5', 'checked', '--security-token', 'to+ken/='], async (simulator) => {
  await roundTrip(simulator, client(simulator, { stsToken: 'to+ken/=' }));
  await assert.rejects(client(simulator).put('x', Buffer.from('x')), { code: 'InvalidAccessKeyId' });
}));
