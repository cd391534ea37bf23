/** An answer other than success, as OSS words it. */
export class Refusal extends Error {
  constructor(status, code, message, more = {}, headers = {}) {
    super(message);
    Object.assign(this, { status, code, more, headers });
  }
}

export function escapeXml(text) {
  return String(text).replace(/[<>&]/g, (c) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;' })[c]).replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '?');
}

export function refusalXml(refusal, requestId, hostId) {
  const fields = { Code: refusal.code, Message: refusal.message, RequestId: requestId, HostId: hostId, ...refusal.more };
  const body = Object.entries(fields).map(([k, v]) => `  <${k}>${escapeXml(v)}</${k}>\n`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n${body}</Error>\n`;
}
