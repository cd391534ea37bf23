// Reads PostgreSQL's log of the making of one call by ccd and writes it as a script of pgbench's that does
// the same for another call each time: every transaction of ccd's that has to do with the call, with the
// parameters that it sent; what tells one call from another becomes a variable. Each transaction is sent
// as one pipeline, which is as quick as pgbench can be.
//
//   node capture.mjs LOG MARKS > create.sql      MARKS: {"call": "…", "n": 71, "sid": "…"} of that call
//
// The log's lines begin with "[process virtual-transaction] ".
import { readFileSync } from 'node:fs';

const [logFile, marksText] = process.argv.slice(2);
const marks = JSON.parse(marksText);
const padded = String(marks.n).padStart(8, '0');

// What stands for the call in a parameter, and the variable that takes its place.
const variables = new Map([
  [marks.call, ':call'],
  [`139${padded}`, ':caller'],
  [`138${padded}`, ':called'],
  [`e9/139${padded}`, ':line'],
  [`bench-${marks.n}`, ':key'],
  [`order-${marks.n}`, ':key'],
  [marks.sid, ':sid'],
]);

function parametersOf(detail) {
  const values = [];
  const pattern = /\$(\d+) = (NULL|'((?:[^']|'')*)')/gy;
  for (let at = 0; at < detail.length; ) {
    pattern.lastIndex = at;
    const found = pattern.exec(detail);
    if (!found) throw new Error(`parameters that can't be read: ${detail.slice(at, at + 80)}`);
    values[Number(found[1])] = found[2] === 'NULL' ? null : found[3].replaceAll("''", "'");
    at = pattern.lastIndex + (detail.startsWith(', ', pattern.lastIndex) ? 2 : 0);
  }
  return values;
}

function written(value) {
  if (value === null || value === undefined) return 'NULL';
  if (variables.has(value)) return variables.get(value);
  const array = /^\{"?([^{},"]*)"?\}$/.exec(value);
  if (array && variables.has(array[1])) return `ARRAY[${variables.get(array[1])}]`;
  return `'${value.replaceAll("'", "''").replaceAll(':', "' || chr(58) || '")}'`;
}

// pgbench takes every ":name" for a variable, in texts too; a text is put together there.
const literal = (text) => (text.includes('chr(58)') ? `(${text})` : text);

const entries = [];
let last = null;
for (const line of readFileSync(logFile, 'utf8').split('\n')) {
  const head = /^\[(\d+) (\S*)\] (\w+): {2}(.*)$/.exec(line);
  if (!head) continue;
  const [, process, transaction, level, text] = head;
  const statement = /^execute [^:]+: (.*)$/.exec(text) ?? /^statement: (.*)$/.exec(text);
  if (level === 'LOG' && statement) {
    last = { process, transaction, sql: statement[1], parameters: [] };
    entries.push(last);
  } else if (level === 'DETAIL' && last && last.process === process && /^[Pp]arameters: /.test(text)) {
    last.parameters = parametersOf(text.slice('parameters: '.length));
  }
}

// BEGIN opens a transaction of its connection; without one a statement is its own.
const transactions = [];
const open = new Map();
for (const entry of entries) {
  if (/^BEGIN/i.test(entry.sql)) {
    open.set(entry.process, [entry]);
    continue;
  }
  const begun = open.get(entry.process);
  if (!begun) {
    transactions.push([entry]);
    continue;
  }
  begun.push(entry);
  if (/^(COMMIT|ROLLBACK$)/i.test(entry.sql)) {
    open.delete(entry.process);
    if (/^COMMIT/i.test(entry.sql)) transactions.push(begun);
  }
}

const isOurs = (entry) => entry.parameters.some((value) => value && [...variables.keys()].some((mark) => value.includes(mark)));
// Sent for many calls together each 50 ms, so it is no part of any one of them.
const isShared = (entry) => /channel_verdict/.test(entry.sql);
const ours = transactions.filter((list) => list.some(isOurs) && !list.some(isShared));
const wrote = (table) => ours.some((list) => list.some(({ sql }) => new RegExp(`INSERT INTO ${table}\\b`).test(sql)));
for (const table of ['call_record', 'call_attempt', 'claim', 'idempotency_key', 'call_event']) {
  if (!wrote(table)) throw new Error(`the log shows no INSERT INTO ${table} for the call`);
}

const out = [
  `-- Made by capture.mjs: what ccd asks PostgreSQL for one call, from POST /v1/calls to its acceptance.`,
  // pgbench keeps a client's variables: `made` counts its transactions.
  '\\set made :made + 1',
  '\\set n :first + :client_id * 4000000 + :made',
  '\\set call :base + :n',
  '\\set caller 13900000000 + :n',
  '\\set called 13800000000 + :n',
  // Whole numbers, as pgbench has no texts; the columns take them for texts.
  '\\set line :caller',
  '\\set key :n',
  '\\set sid :n',
];
for (const list of ours) {
  const pipelined = list.length > 1;
  if (pipelined) out.push('\\startpipeline');
  for (const { sql, parameters } of list) {
    const filled = sql.replaceAll(/\$(\d+)/g, (_, index) => literal(written(parameters[Number(index)])));
    out.push(`${filled};`);
  }
  if (pipelined) out.push('\\endpipeline');
}
process.stdout.write(`${out.join('\n')}\n`);
