// What was asked and what came of it: a JSON line a request, the latest ones in memory, and counters.
// No secret is in it: signatures and tokens are left out.
import { appendFileSync } from 'node:fs';

const kept = 2000;
const hidden = ['authorization', 'x-oss-security-token'];

export class Journal {
  counters = { requests: 0, received: 0, sent: 0, operations: {}, statuses: {}, codes: {}, signed: {}, addressing: {},
               connections: 0, openConnections: 0, mostConnections: 0 };
  latest = [];
  #file;

  constructor(file) {
    this.#file = file;
  }

  note(x) {
    const { request, req, res } = x;
    const status = x.code === 'cut' || !res.headersSent ? 0 : res.statusCode;
    const line = {
      at: new Date().toISOString(), number: ++this.counters.requests, requestId: x.id, method: req.method,
      operation: request?.operation ?? null, bucket: request?.bucket ?? null, key: request?.key ?? null,
      query: Object.fromEntries((request?.query ?? []).filter(([n]) => !['x-oss-signature', 'x-oss-security-token'].includes(n))),
      headers: Object.fromEntries(Object.entries(req.headers).filter(([n]) => !hidden.includes(n))),
      addressing: request?.addressing ?? null, signed: x.signed, status, code: x.code, fault: x.fault?.kind ?? null,
      received: x.received, sent: x.sent,
    };
    const { counters } = this;
    counters.received += x.received;
    counters.sent += x.sent;
    for (const [where, what] of [['operations', line.operation], ['statuses', status], ['codes', x.code],
                                 ['signed', x.signed], ['addressing', line.addressing]])
      if (what !== null) counters[where][what] = (counters[where][what] ?? 0) + 1;
    this.latest.push(line);
    if (this.latest.length > kept) this.latest.splice(0, kept / 2);
    if (this.#file) appendFileSync(this.#file, JSON.stringify(line) + '\n');
  }

  connected(socket) {
    const { counters } = this;
    ++counters.connections;
    counters.mostConnections = Math.max(counters.mostConnections, ++counters.openConnections);
    socket.on('close', () => --counters.openConnections);
  }
}
