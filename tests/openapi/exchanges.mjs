// Compares what the end-to-end tests and ccd said to each other with the document:
//   node exchanges.mjs DOCUMENT FOLDER [test programs that a full run consists of…]
// Every answer must be as documented; every request that was accepted too. Prints which operations were seen
// with which statuses. After a full run each operation must have been seen with a success.
import { createReadStream, existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { Document } from './document.mjs';

const [file, folder, ...programs] = process.argv.slice(2);
const document = new Document(JSON.parse(readFileSync(file, 'utf8')));
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')) : [];
if (files.length === 0) {
  console.log(`Nothing to compare: no end-to-end test of this run left exchanges in ${folder}.`);
  process.exit(77);
}

const complaints = new Map();  // text → { count, first }
const seen = new Map(document.operations.map((operation) => [operation, new Map()]));
const elsewhere = new Map();
let count = 0;

function complain(what, exchange, from) {
  const path = exchange.target.split('?')[0];
  const operation = document.find(exchange.method, path);
  const key = `${operation ? operation.operationId : path}: ${what.replace(/ in [{].*$/s, '')}`;
  if (!complaints.has(key)) complaints.set(key, { count: 0, first: `${exchange.method} ${exchange.target} → ${exchange.status} (${from}): ${what}` });
  ++complaints.get(key).count;
}

function compare(exchange, from) {
  const [path, query = ''] = exchange.target.split(/\?(.*)/s);
  const answer = { method: exchange.method, path, status: exchange.status, headers: exchange.answerHeaders, body: exchange.answer };
  for (const what of document.checkAnswer(answer)) complain(what, exchange, from);
  if (exchange.status < 300) {
    const request = { method: exchange.method, path, query, headers: exchange.headers, body: exchange.body };
    for (const what of document.checkRequest(request)) complain(`the request was accepted, but ${what}`, exchange, from);
  }
  const operation = document.find(exchange.method, path);
  const statuses = operation ? seen.get(operation) : elsewhere;
  statuses.set(exchange.status, (statuses.get(exchange.status) ?? 0) + 1);
}

for (const name of files) {
  for await (const line of createInterface({ input: createReadStream(join(folder, name)) })) {
    if (!line.endsWith('}')) continue;  // a test that was killed while it wrote
    ++count;
    compare(JSON.parse(line), name);
  }
}

const told = (statuses) => [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status}×${times}`).join(' ') || 'never seen';
for (const [operation, statuses] of seen) {
  console.log(`${operation.method.toUpperCase().padEnd(6)} ${operation.path.padEnd(42)} ${told(statuses)}`);
}
console.log(`paths and methods that are not there              ${told(elsewhere)}`);

const missing = programs.filter((program) => !files.some((name) => name.startsWith(`${program}-`)));
const unseen = [...seen].filter(([, statuses]) => ![...statuses.keys()].some((status) => status < 400)).map(([operation]) => operation.operationId);
const whole = programs.length > 0 && missing.length === 0;
console.log(`${count} exchanges of ${files.length} test processes, ${seen.size} operations.`);
if (!whole) console.log(`A choice of tests: nothing of ${missing.join(', ') || 'a full run'}. So it is not asked whether every operation was seen.`);
let failed = complaints.size > 0;
if (whole && unseen.length > 0) {
  failed = true;
  console.log(`No end-to-end test has these succeed: ${unseen.join(', ')}`);
}
for (const [, { count: times, first }] of complaints) console.log(`${times}× ${first}`);
console.log(failed ? `${complaints.size} kinds of differences from the document` : 'All is as the document says.');
process.exit(failed ? 1 : 0);
