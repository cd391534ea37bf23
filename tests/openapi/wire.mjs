// One kept HTTP/1.1 connection on a bare socket, so that broken requests can be sent byte by byte.
import net from 'node:net';

export class Wire {
  constructor(host, port) {
    this.host = host;
    this.port = port;
    this.socket = null;
    this.opened = 0;
  }

  close() {
    this.socket?.destroy();
    this.socket = null;
  }

  /** One that is open and on which nothing is under way. */
  async ready() {
    if (this.socket && !this.ended) return;
    this.close();
    const socket = net.connect(this.port, this.host);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    ++this.opened;
    socket.setNoDelay(true);
    this.socket = socket;
    this.buffer = Buffer.alloc(0);
    this.ended = false;
    this.wake = null;
    const over = () => {
      if (this.socket !== socket) return;  // an earlier one's end
      this.ended = true;
      this.wake?.();
    };
    socket.on('data', (data) => {
      if (this.socket !== socket) return;
      this.buffer = Buffer.concat([this.buffer, data]);
      this.wake?.();
    });
    for (const event of ['end', 'close', 'error']) socket.on(event, over);
  }

  write(bytes) {
    if (!this.ended) this.socket.write(bytes);
  }

  async more(until) {
    const left = until - Date.now();
    if (left <= 0) return false;
    const before = this.buffer.length;
    if (this.ended) return false;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, left);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
    this.wake = null;
    return this.buffer.length > before || this.ended;
  }

  /**
   * The next answer: { status, headers, body, close }, null where the server closed without one, or 'late'.
   * Interim answers (100) are passed over. `until`: epoch ms.
   */
  async answer(method, until) {
    let head;
    while (true) {
      const end = this.buffer.indexOf('\r\n\r\n');
      if (end < 0) {
        if (this.ended) return null;
        if (!await this.more(until)) return this.ended ? null : 'late';
        continue;
      }
      head = this.buffer.subarray(0, end).toString('latin1').split('\r\n');
      this.buffer = this.buffer.subarray(end + 4);
      if (!/^HTTP\/1\.1 100/.test(head[0])) break;
    }
    const status = Number(head[0].split(' ')[1]);
    const headers = {};
    for (const line of head.slice(1)) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      if (headers[name] !== undefined) throw new Error(`header ${name} came twice`);
      headers[name] = line.slice(colon + 1).trim();
    }
    const body = await this.body(method, status, headers, until);
    if (body === 'late' || body === null) return body;
    const close = headers.connection === 'close';
    if (close) this.ended = true;
    return { status, headers, body, close };
  }

  async take(bytes, until) {
    while (this.buffer.length < bytes) {
      if (!await this.more(until)) return this.ended ? null : 'late';
      if (this.ended && this.buffer.length < bytes) return null;
    }
    const part = this.buffer.subarray(0, bytes);
    this.buffer = this.buffer.subarray(bytes);
    return part;
  }

  async body(method, status, headers, until) {
    if (method === 'HEAD' || status === 204 || status === 304) return '';
    if (headers['transfer-encoding'] !== 'chunked') {
      const part = await this.take(Number(headers['content-length'] ?? 0), until);
      return Buffer.isBuffer(part) ? part.toString() : part;
    }
    const parts = [];
    while (true) {
      let end;
      while ((end = this.buffer.indexOf('\r\n')) < 0) {
        if (!await this.more(until)) return this.ended ? null : 'late';
      }
      const size = parseInt(this.buffer.subarray(0, end).toString(), 16);
      this.buffer = this.buffer.subarray(end + 2);
      const part = await this.take(size + 2, until);
      if (!Buffer.isBuffer(part)) return part;
      if (size === 0) return Buffer.concat(parts).toString();
      parts.push(part.subarray(0, size));
    }
  }
}
