// Aliyun's signature V4 as the server sees it: a raw request in, a verdict out. Written from
// channels.md alone; it shares nothing with what it checks.
import { createHash, createHmac } from 'node:crypto';
import { Refusal } from './refusal.mjs';

const algorithm = 'OSS4-HMAC-SHA256';
const longest_life = 7 * 24 * 3600;

/** All but the unreserved characters, upper-case hex; `text` is Unicode. */
export function uriEncode(text, keepSlash) {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const c = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~]/.test(c) || (keepSlash && c === '/')) out += c;
    else out += '%' + byte.toString(16).toUpperCase().padStart(2, '0');
  }
  return out;
}

/** [[name, value or null if there was no "=" or nothing behind it]], decoded, in the order given. */
export function parseQuery(text) {
  if (!text) return [];
  return text.split('&').filter((part) => part !== '').map((part) => {
    const at = part.indexOf('=');
    const name = at < 0 ? part : part.slice(0, at);
    const value = at < 0 ? '' : part.slice(at + 1);
    return [decode(name), value === '' ? null : decode(value)];
  });
}

export function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, 'InvalidURI', 'The URL is not well-formed percent-encoded UTF-8.');
  }
}

function canonicalQuery(query) {
  return query
    .map(([name, value]) => [uriEncode(name), value === null ? null : uriEncode(value)])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => (value === null ? name : `${name}=${value}`))
    .join('&');
}

/** request: {method, bucket, key, query, headers}; headers' names in lower case. */
export function canonicalRequest(request, additional, payload) {
  const signed = Object.keys(request.headers)
    .filter((name) => name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-') ||
                      additional.includes(name))
    .sort();
  const path = '/' + (request.bucket ? request.bucket + '/' + request.key : '');
  return [
    request.method,
    uriEncode(path, true),
    canonicalQuery(request.query.filter(([name]) => name !== 'x-oss-signature')),
    signed.map((name) => `${name}:${String(request.headers[name]).trim()}\n`).join(''),
    additional.join(';'),
    payload,
  ].join('\n');
}

export function stringToSign(date, scope, canonical) {
  const digest = createHash('sha256').update(Buffer.from(canonical, 'latin1')).digest('hex');
  return [algorithm, date, scope, digest].join('\n');
}

export function sign(secret, day, region, text) {
  const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
  const key = ['aliyun_v4_request', 'oss', region, day]
    .reduceRight((k, part) => hmac(k, part), 'aliyun_v4' + secret);
  return createHmac('sha256', key).update(text).digest('hex');
}

/** ms since 1970 of yyyymmddTHHMMSSZ, or NaN. */
export function parseDate(text) {
  const m = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '');
  return m ? Date.UTC(+m[1], m[2] - 1, +m[3], +m[4], +m[5], +m[6]) : NaN;
}

/**
 * Throws a Refusal unless the request is signed by `account` {accessKeyId, accessKeySecret,
 * securityToken, pastTokens, region} and fresh by `now` (ms). Answers how: "header" or "query".
 */
export function verify(request, account, now, skewLimit) {
  const inQuery = request.query.some(([name]) => name === 'x-oss-signature' || name === 'x-oss-signature-version');
  const authorization = request.headers['authorization'];
  if (authorization !== undefined && inQuery)
    throw new Refusal(400, 'InvalidArgument', 'Signed twice: in the Authorization header and in the query.');
  if (authorization === undefined && !inQuery)
    throw new Refusal(403, 'AccessDenied', 'You have no right to access this object because of bucket acl.');
  const claim = inQuery ? fromQuery(request) : fromHeader(request, authorization);

  const [id, day, region, product, end, ...more] = claim.credential.split('/');
  if (id !== account.accessKeyId)
    throw new Refusal(403, 'InvalidAccessKeyId', 'The OSS Access Key Id you provided does not exist in our records.',
                      { OSSAccessKeyId: id });
  checkToken(claim.token, account);
  const date = parseDate(claim.date);
  if (Number.isNaN(date)) throw new Refusal(400, 'InvalidArgument', 'x-oss-date is missing or not yyyymmddTHHMMSSZ.');
  if (more.length || product !== 'oss' || end !== 'aliyun_v4_request' || day !== claim.date.slice(0, 8))
    throw new Refusal(400, 'InvalidArgument', "The credential's scope is not {x-oss-date's day}/{region}/oss/aliyun_v4_request.");
  if (region !== account.region)
    throw new Refusal(400, 'InvalidArgument', `Invalid signing region in the credential: ${region}.`);
  checkTime(claim, date, now, skewLimit);

  const additional = checkAdditional(claim.additional, request.headers);
  const canonical = canonicalRequest(request, additional, 'UNSIGNED-PAYLOAD');
  const text = stringToSign(claim.date, `${day}/${region}/oss/aliyun_v4_request`, canonical);
  if (sign(account.accessKeySecret, day, region, text) !== claim.signature)
    throw new Refusal(403, 'SignatureDoesNotMatch',
                      'The request signature we calculated does not match the signature you provided.',
                      { OSSAccessKeyId: id, SignatureProvided: claim.signature, StringToSign: text,
                        CanonicalRequest: canonical });
  return inQuery ? 'query' : 'header';
}

function fromHeader(request, authorization) {
  const m = /^OSS4-HMAC-SHA256 +(.+)$/.exec(authorization);
  if (!m) throw new Refusal(400, 'InvalidArgument', 'Authorization is not OSS4-HMAC-SHA256.');
  const fields = {};
  for (const part of m[1].split(/, */)) {
    const at = part.indexOf('=');
    const name = part.slice(0, at);
    if (at < 0 || !['Credential', 'AdditionalHeaders', 'Signature'].includes(name) || name in fields)
      throw new Refusal(400, 'InvalidArgument', 'Authorization is malformed.');
    fields[name] = part.slice(at + 1);
  }
  if (!fields.Credential || !fields.Signature)
    throw new Refusal(400, 'InvalidArgument', 'Authorization lacks Credential or Signature.');
  if (request.headers['x-oss-content-sha256'] !== 'UNSIGNED-PAYLOAD')
    throw new Refusal(400, 'InvalidArgument', 'x-oss-content-sha256 must be UNSIGNED-PAYLOAD.');
  return {
    credential: fields.Credential,
    signature: fields.Signature,
    additional: fields.AdditionalHeaders,
    date: request.headers['x-oss-date'],
    token: request.headers['x-oss-security-token'],
  };
}

function fromQuery(request) {
  const value = (name, needed) => {
    const found = request.query.filter(([n]) => n === name);
    if (found.length > 1 || (needed && (found.length === 0 || found[0][1] === null)))
      throw new Refusal(400, 'AuthorizationQueryParametersError', `${name} is missing or given twice.`);
    return found[0]?.[1] ?? undefined;
  };
  if (value('x-oss-signature-version', true) !== algorithm)
    throw new Refusal(400, 'AuthorizationQueryParametersError', 'x-oss-signature-version is not OSS4-HMAC-SHA256.');
  const expires = value('x-oss-expires', true);
  if (!/^\d{1,9}$/.test(expires) || +expires < 1 || +expires > longest_life)
    throw new Refusal(400, 'AuthorizationQueryParametersError', 'x-oss-expires must be 1 to 604800.');
  return {
    credential: value('x-oss-credential', true),
    signature: value('x-oss-signature', true),
    additional: value('x-oss-additional-headers'),
    date: value('x-oss-date', true),
    token: value('x-oss-security-token'),
    expires: +expires,
  };
}

function checkToken(token, account) {
  if (token === (account.securityToken || undefined)) return;
  if (token === undefined)
    throw new Refusal(403, 'InvalidAccessKeyId', 'The OSS Access Key Id you provided does not exist in our records.');
  if (account.pastTokens.includes(token))
    throw new Refusal(403, 'SecurityTokenExpired', 'The security token you provided has expired.');
  throw new Refusal(403, 'InvalidSecurityToken', 'The security token you provided is invalid.');
}

function checkTime(claim, date, now, skewLimit) {
  if (claim.expires === undefined) {
    if (Math.abs(now - date) > skewLimit * 1000)
      throw new Refusal(403, 'RequestTimeTooSkewed',
                        'The difference between the request time and the current time is too large.',
                        { MaxAllowedSkewMilliseconds: skewLimit * 1000, RequestTime: iso(date), ServerTime: iso(now) });
    return;
  }
  if (date - now > skewLimit * 1000)
    throw new Refusal(403, 'AccessDenied', 'Request is not yet valid.', { ServerTime: iso(now) });
  if (now > date + claim.expires * 1000)
    throw new Refusal(403, 'AccessDenied', 'Request has expired.',
                      { Expires: iso(date + claim.expires * 1000), ServerTime: iso(now) });
}

const iso = (ms) => new Date(ms).toISOString();

function checkAdditional(text, headers) {
  if (text === undefined || text === '') return [];
  const names = text.split(';');
  for (const name of names) {
    if (name !== name.toLowerCase() || !(name in headers))
      throw new Refusal(400, 'InvalidArgument', `Additional header ${name} is not in the request, or not in lower case.`);
    if (name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-'))
      throw new Refusal(400, 'InvalidArgument', `${name} is always signed and no additional header.`);
  }
  if (names.some((name, i) => i > 0 && names[i - 1] >= name))
    throw new Refusal(400, 'InvalidArgument', 'Additional headers are not in order.');
  return names;
}
