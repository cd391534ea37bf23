// Asks a running ccd by its own document, rightly and wrongly, and judges every answer by it:
//   node generate.mjs URL --requests N --seed S --connections C --key KEY [--key OTHER…]
// Fails where an answer is not as documented, where a request is accepted that the document forbids, where an
// answer of 400 and above is no problem document, where something hangs, or where the server made a mistake.
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';

import { Document } from './document.mjs';
import { Maker } from './requests.mjs';
import { Dice } from './values.mjs';
import { Wire } from './wire.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string', default: '5000' }, seed: { type: 'string', default: '1' }, connections: { type: 'string', default: '8' },
    key: { type: 'string', multiple: true },
  },
});
const base = new URL(positionals[0]);
const total = Number(options.requests);
const document = new Document(await (await fetch(new URL('/openapi.json', base))).json());
const pool = new Map();  // what answers told, by member's name
const complaints = new Map();
const seen = new Map(document.operations.map((operation) => [operation.operationId, new Map()]));
const doubts = new Map();  // requests as documented that were refused as wrong
const figures = { answers: 0, mute: 0, problems: 0, connections: 0, statuses: new Map(), breaks: new Map(), slowest: 0 };
// The others of 500 and above mean that CC or what it stands on failed, and nothing here makes it fail.
const allowed = new Set(['/problems/no-channel', '/problems/channel-refused', '/problems/outcome-unknown', '/problems/no-agents-key']);
const deadline = 15_000;
let made = 0;

const bump = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);

function complain(what, request, answer) {
  const operation = request.path && document.find(request.method, request.path);
  const key = `${operation ? operation.operationId : request.path === null ? 'unreadable' : 'unmatched'}: ${what.replace(/ in [{].*$/s, '').slice(0, 160)}`;
  if (!complaints.has(key)) {
    const sent = Buffer.concat(request.parts).toString('latin1').replace(/(Bearer|Basic) [^\r]+/gi, '$1 …').slice(0, 900);
    complaints.set(key, { times: 0, text: `${what}\n  sent (${request.broken.join(', ') || 'right'}): ${JSON.stringify(sent)}\n  heard: ${answer ? `${answer.status} ${answer.body.slice(0, 400)}` : 'nothing'}` });
  }
  ++complaints.get(key).times;
}

/** Remembers what an answer told, so that later requests can ask about it. */
function remember(value) {
  if (Array.isArray(value)) return value.slice(0, 5).forEach(remember);
  if (value === null || typeof value !== 'object') return;
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'string' && member !== '') {
      const list = pool.get(name) ?? [];
      if (list.length < 200) list.push(member); else list[made % 200] = member;
      pool.set(name, list);
    } else {
      remember(member);
    }
  }
}

function judge(request, answer) {
  bump(figures.statuses, answer.status);
  const operation = request.path === null ? undefined : document.find(request.method, request.path);
  const path = request.path ?? '/unreadable';
  const wrong = document.checkAnswer({ ...answer, method: request.method, path });
  for (const what of wrong) complain(what, request, answer);
  if (operation) bump(seen.get(operation.operationId), answer.status);
  if (answer.status >= 400) {
    ++figures.problems;
    let problem = {};
    if (request.method !== 'HEAD') try { problem = JSON.parse(answer.body); } catch { /* checkAnswer has said so */ }
    if (answer.status >= 500 && request.method !== 'HEAD' && !allowed.has(problem.type)) complain(`${answer.status} ${problem.type}`, request, answer);
    if (request.method !== 'HEAD' && problem.instance !== answer.headers['request-id']) complain('instance is not the Request-Id', request, answer);
    const refused = operation && request.broken.length === 0 && ['/problems/invalid-request', '/problems/malformed-request'].includes(problem.type);
    if (refused) {
      const key = `${operation.operationId}: ${problem.invalidParams.map((param) => `${param.name} ${param.reason}`).join('; ')}`;
      bump(doubts, key.slice(0, 200));
    }
    return;
  }
  if (!operation) return;
  for (const what of document.checkRequest(request)) complain(`accepted, but ${what}`, request, answer);
  if (request.method !== 'HEAD' && (answer.headers['content-type'] ?? '').includes('json') && !path.startsWith('/openapi')) remember(JSON.parse(answer.body));
}

async function ask(wire, request) {
  await wire.ready();
  const fresh = wire.buffer.length === 0;
  if (!fresh) complain('bytes came that nobody had asked for', request, null);
  const begun = Date.now();
  for (const [i, part] of request.parts.entries()) {
    if (i > 0) await pause(2);
    wire.write(part);
  }
  if (request.mute) {
    // Whatever the server makes of it, it has to let go of it: a broken one at once, a part of one when we leave.
    ++figures.mute;
    const answer = await wire.answer(request.method, begun + 50);
    if (answer && answer !== 'late' && answer.status >= 500) complain(`${answer.status}`, request, answer);
    if (answer && answer !== 'late' && answer.status >= 400) {
      for (const what of document.checkAnswer({ ...answer, method: request.method, path: '/unreadable' })) complain(what, request, answer);
    }
    wire.close();
    return;
  }
  const answer = await wire.answer(request.method, begun + deadline + request.wait * 1000);
  figures.slowest = Math.max(figures.slowest, Date.now() - begun - (request.wait > 2 ? request.wait * 1000 : 0));
  if (answer === 'late') {
    complain('it hangs', request, null);
    wire.close();
  } else if (answer === null) {
    complain('the connection was closed without an answer', request, null);
    wire.close();
  } else {
    ++figures.answers;
    judge(request, answer);
    if (answer.close || request.headers.connection === 'close') wire.close();
  }
}

async function work(number) {
  const dice = new Dice(Number(options.seed) * 1000 + number);
  const maker = new Maker(document, dice, pool, options.key);
  const wire = new Wire(base.hostname, base.port);
  while (made < total) {
    ++made;
    const request = maker.make();
    for (const way of request.broken.length > 0 ? request.broken : ['right']) bump(figures.breaks, way);
    try {
      await ask(wire, request);
    } catch (error) {
      complain(`the client failed: ${error.stack}`, request, null);
      wire.close();
    }
  }
  figures.connections += wire.opened;
  wire.close();
}

const begun = Date.now();
await Promise.all(Array.from({ length: Number(options.connections) }, (_, i) => work(i)));
const seconds = (Date.now() - begun) / 1000;
const alive = await fetch(new URL('/healthz', base)).then((response) => response.ok, () => false);

const told = (map) => [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, times]) => `${key}×${times}`).join(' ');
for (const [id, statuses] of seen) console.log(`${id.padEnd(22)} ${told(statuses)}`);
console.log(`broken: ${told(figures.breaks)}`);
console.log(`statuses: ${told(figures.statuses)}`);
if (doubts.size > 0) console.log('As documented, and yet refused as wrong (rules that a schema does not tell):');
for (const [what, times] of [...doubts].sort((a, b) => b[1] - a[1]).slice(0, 25)) console.log(`  ${times}× ${what}`);
for (const { times, text } of complaints.values()) console.log(`${times}× ${text}`);
const never = [...seen].filter(([, statuses]) => ![...statuses.keys()].some((status) => status < 400)).map(([id]) => id);
if (never.length > 0) console.log(`never with a success: ${never.join(', ')}`);
if (!alive) console.log('The server does not answer any more.');
console.log(`generate: seed=${options.seed} requests=${made} answers=${figures.answers} cut=${figures.mute} problems=${figures.problems} ` +
  `connections=${figures.connections} slowest_ms=${figures.slowest} seconds=${seconds.toFixed(1)} complaints=${complaints.size}`);
process.exit(alive && complaints.size === 0 && never.length === 0 ? 0 : 1);
