// What goes wrong on demand. Each fault strikes the requests that it matches: the next `count` of them,
// or each with `probability`, drawn from its own `seed`, so that a run can be repeated.
import { Refusal } from './refusal.mjs';

const kinds = ['refuse', 'cut_request', 'cut_answer', 'lost_answer', 'status', 'throttle', 'stall', 'slow', 'wrong_crc', 'flip'];
const known = ['kind', 'count', 'probability', 'seed', 'skip', 'method', 'operation', 'key', 'after', 'status', 'code',
               'retryAfter', 'delayMs', 'bytesPerSecond'];

/** mulberry32: small, and the same everywhere. */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Fault {
  applied = 0;
  #random;

  constructor(id, given) {
    for (const name of Object.keys(given))
      if (!known.includes(name)) throw new Refusal(400, 'InvalidArgument', `a fault has no ${name}`);
    if (!kinds.includes(given.kind)) throw new Refusal(400, 'InvalidArgument', `kind is one of ${kinds.join(', ')}`);
    this.id = id;
    this.given = given;
    this.left = given.count ?? (given.probability === undefined ? 1 : Infinity);
    this.skip = given.skip ?? 0;
    this.#random = dice(given.seed ?? 1);
    this.key = given.key === undefined ? null : new RegExp(given.key);
  }

  /** request: {method, operation, key}, or null for a connection. */
  strikes(request) {
    if (this.left <= 0 || (this.given.kind === 'refuse') !== (request === null)) return null;
    const { method, operation, probability } = this.given;
    if (request && ((method && method !== request.method) || (operation && operation !== request.operation) ||
                    (this.key && !this.key.test(request.key)))) return null;
    if (this.skip > 0) {
      --this.skip;
      return null;
    }
    if (probability !== undefined && this.#random() >= probability) return null;
    --this.left;
    ++this.applied;
    return { ...this.given, after: this.#draw(this.given.after ?? 0) };
  }

  #draw(after) {
    if (!Array.isArray(after)) return after;
    return Math.floor(after[0] + this.#random() * (after[1] - after[0] + 1));
  }

  show() {
    return { id: this.id, ...this.given, applied: this.applied, left: this.left === Infinity ? null : this.left };
  }
}

export class Faults {
  all = [];
  applied = {};  // kind → times
  #last = 0;

  add(given) {
    const fault = new Fault(++this.#last, given);
    this.all.push(fault);
    return fault;
  }

  remove(id) {
    this.all = id === undefined ? [] : this.all.filter((fault) => fault.id !== id);
  }

  /** The first that strikes; the others have not seen this request. */
  next(request) {
    for (const fault of this.all) {
      const struck = fault.strikes(request);
      if (!struck) continue;
      this.applied[struck.kind] = (this.applied[struck.kind] ?? 0) + 1;
      return struck;
    }
    return null;
  }
}

/** The refusal that a fault of kind status or throttle is. */
export function faultRefusal(fault) {
  const headers = fault.retryAfter === undefined ? {} : { 'Retry-After': String(fault.retryAfter) };
  if (fault.kind === 'throttle')
    return new Refusal(fault.status ?? 503, fault.code ?? 'QpsLimitExceeded',
                       'Qps limit exceeded, please reduce your request rate.', {}, headers);
  const status = fault.status ?? 503;
  const code = { 500: 'InternalError', 502: 'BadGateway', 503: 'ServiceUnavailable', 504: 'GatewayTimeout' };
  return new Refusal(status, fault.code ?? code[status] ?? 'InternalError',
                     'Please contact the server administrator, oss@service.aliyun.com.', {}, headers);
}
