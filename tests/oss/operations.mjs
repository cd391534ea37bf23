// What a request asks for: whose bucket, which object, which operation; and the operations themselves.
import { createHash } from 'node:crypto';
import { Refusal, escapeXml } from './refusal.mjs';
import { decode, parseQuery, uriEncode } from './signature.mjs';

const longest_body = 5 * 1024 ** 3;
const longest_list = 4 * 1024 ** 2;
const encryptions = ['AES256', 'KMS', 'SM4'];
const classes = ['Standard', 'IA', 'Archive', 'ColdArchive', 'DeepColdArchive'];
const overrides = { 'response-content-type': 'Content-Type', 'response-content-disposition': 'Content-Disposition',
                    'response-content-encoding': 'Content-Encoding', 'response-content-language': 'Content-Language',
                    'response-cache-control': 'Cache-Control', 'response-expires': 'Expires' };

/** {method, bucket, key, query, headers, addressing, operation}; operation is null if there is none such. */
export function parseRequest(req, options) {
  const at = req.url.indexOf('?');
  const path = at < 0 ? req.url : req.url.slice(0, at);
  const query = parseQuery(at < 0 ? '' : req.url.slice(at + 1));
  if (!path.startsWith('/')) throw new Refusal(400, 'InvalidURI', 'The path does not begin with "/".');
  const host = (req.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (host === '') throw new Refusal(400, 'InvalidRequest', 'There is no Host.');
  const own = host.split('.')[0];
  const bare = /^[\d.]+$/.test(host) || host.startsWith('[') || host === 'localhost' || own.startsWith('oss-');
  const request = { method: req.method, query, headers: req.headers, addressing: bare ? 'path' : 'virtual' };
  if (bare) {
    const slash = path.indexOf('/', 1);
    request.bucket = decode(slash < 0 ? path.slice(1) : path.slice(1, slash));
    request.key = slash < 0 ? '' : decode(path.slice(slash + 1));
  } else {
    request.bucket = own;
    request.key = decode(path.slice(1));
  }
  if (options.addressing !== 'both' && options.addressing !== request.addressing)
    throw new Refusal(403, 'SecondLevelDomainForbidden',
                      'The bucket you are attempting to access must be addressed using the other style of endpoint.');
  const has = (name) => query.some(([n]) => n === name);
  const value = (name) => query.find(([n]) => n === name)?.[1] ?? null;
  request.has = has;
  request.value = value;
  request.operation = operationOf(req.method, request.key, has);
  return request;
}

function operationOf(method, key, has) {
  if (key === '') return method === 'GET' && has('uploads') ? 'ListMultipartUploads' : null;
  if (has('uploads')) return method === 'POST' ? 'InitiateMultipartUpload' : null;
  if (has('uploadId'))
    return { PUT: 'UploadPart', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' }[method] ?? null;
  if (has('partNumber') || has('acl') || has('tagging') || has('append') || has('symlink') || has('restore')) return null;
  return { PUT: 'PutObject', GET: 'GetObject', HEAD: 'HeadObject', DELETE: 'DeleteObject' }[method] ?? null;
}

export function checkName(key) {
  if (Buffer.byteLength(key) > 1023 || /^[/\\]/.test(key) || /[\r\n]/.test(key))
    throw new Refusal(400, 'InvalidObjectName', 'The specified object is not valid.');
}

/** Refuses what can be refused before the body is read. Answers the body's length. */
export function checkBody(request, options) {
  const { headers, operation } = request;
  const needed = ['PutObject', 'UploadPart', 'CompleteMultipartUpload'].includes(operation);
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || (needed && !/^\d{1,15}$/.test(length ?? '')))
    throw new Refusal(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  const size = Number(length ?? 0);
  if (!needed && size > 0) throw new Refusal(400, 'InvalidArgument', 'This operation takes no body.');
  if (size > (operation === 'CompleteMultipartUpload' ? longest_list : longest_body))
    throw new Refusal(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size.');
  const md5 = headers['content-md5'];
  if (options.md5 === 'off' || !needed) return size;
  if (md5 === undefined ? options.md5 === 'required' : !/^[A-Za-z0-9+/]{22}==$/.test(md5))
    throw new Refusal(400, 'InvalidDigest', 'The Content-MD5 you specified is not valid.', { 'Content-MD5': md5 ?? '' });
  return size;
}

export function checkDigest(request, options, md5) {
  const given = request.headers['content-md5'];
  if (options.md5 === 'off' || given === undefined) return;
  const own = Buffer.from(md5, 'hex').toString('base64');
  if (own !== given)
    throw new Refusal(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.',
                      { ExpectedDigest: given, CalculatedDigest: own });
}

/** What is kept with an object, from the request that makes it. */
export function attributesOf(headers) {
  const encryption = headers['x-oss-server-side-encryption'] ?? null;
  const kmsKey = headers['x-oss-server-side-encryption-key-id'] ?? null;
  const storageClass = headers['x-oss-storage-class'] ?? 'Standard';
  if (encryption !== null && !encryptions.includes(encryption))
    throw new Refusal(400, 'InvalidEncryptionAlgorithmError', 'The encryption request you specified is not valid.');
  if (kmsKey !== null && encryption !== 'KMS')
    throw new Refusal(400, 'InvalidArgument', 'A KMS key id needs x-oss-server-side-encryption: KMS.');
  if (!classes.includes(storageClass)) throw new Refusal(400, 'InvalidArgument', 'The storage class is not valid.');
  const meta = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-oss-meta-')));
  return { contentType: headers['content-type'] ?? 'application/octet-stream', encryption, kmsKey, storageClass, meta };
}

export function partNumber(request) {
  const text = request.value('partNumber') ?? '';
  if (!/^\d{1,5}$/.test(text) || +text < 1 || +text > 10000)
    throw new Refusal(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive.');
  for (const name of ['x-oss-server-side-encryption', 'x-oss-storage-class'])
    if (name in request.headers)
      throw new Refusal(400, 'InvalidArgument', `${name} belongs to the upload's beginning, not to a part.`);
  return +text;
}

/** [{number, etag}] of a CompleteMultipartUpload document. */
export function parseParts(xml) {
  const malformed = () => new Refusal(400, 'MalformedXML', 'The XML you provided was not well-formed or did not ' +
                                      'validate against our published schema.');
  const root = /^\s*(?:<\?xml[^>]*\?>)?\s*<CompleteMultipartUpload>([\s\S]*)<\/CompleteMultipartUpload>\s*$/.exec(xml);
  if (!root) throw malformed();
  const parts = [];
  const part = /\s*<Part>\s*<PartNumber>\s*(\d{1,5})\s*<\/PartNumber>\s*<ETag>([^<]*)<\/ETag>\s*<\/Part>\s*/y;
  while (part.lastIndex < root[1].length) {
    const m = part.exec(root[1]);
    if (!m) break;
    parts.push({ number: +m[1], etag: m[2].trim().replace(/&quot;|&#34;/g, '"') });
    if (part.lastIndex === root[1].length) return parts;
  }
  throw malformed();
}

/** {first, last} of a Range header, or null = the whole. Several ranges are none, as with OSS. */
export function parseRange(text, size) {
  const m = /^bytes=(\d*)-(\d*)$/.exec(text ?? '');
  if (!m || (m[1] === '' && m[2] === '')) return null;
  const first = m[1] === '' ? Math.max(0, size - +m[2]) : +m[1];
  const last = m[1] === '' || m[2] === '' ? size - 1 : Math.min(+m[2], size - 1);
  if (m[1] !== '' && m[2] !== '' && +m[1] > +m[2]) return null;
  if (first >= size || (m[1] === '' && +m[2] === 0))
    throw new Refusal(416, 'InvalidRange', 'The requested range cannot be satisfied.', { ActualObjectSize: size },
                      { 'Content-Range': `bytes */${size}` });
  return { first, last };
}

export function objectHeaders(object) {
  const { attributes } = object;
  const headers = {
    'Content-Type': attributes.contentType,
    'Accept-Ranges': 'bytes',
    'Last-Modified': new Date(object.modified).toUTCString(),
    'ETag': object.etag,
    'x-oss-object-type': object.type,
    'x-oss-hash-crc64ecma': object.blob.crc64,
    'x-oss-storage-class': attributes.storageClass,
    'Content-MD5': Buffer.from(object.blob.md5, 'hex').toString('base64'),
    ...encryptionHeaders(attributes),
    ...attributes.meta,
  };
  if (object.type !== 'Normal') delete headers['Content-MD5'];
  return headers;
}

export function encryptionHeaders({ encryption, kmsKey }) {
  return {
    ...(encryption ? { 'x-oss-server-side-encryption': encryption } : {}),
    ...(kmsKey ? { 'x-oss-server-side-encryption-key-id': kmsKey } : {}),
  };
}

/** Headers that the query replaces (response-content-type, …). */
export function overridden(request) {
  const headers = {};
  for (const [name, header] of Object.entries(overrides))
    if (request.value(name) !== null) headers[header] = request.value(name);
  return headers;
}

const document = (body) => `<?xml version="1.0" encoding="UTF-8"?>\n${body}\n`;
const shown = (request, key) => escapeXml(request.value('encoding-type') === 'url' ? uriEncode(key) : key);

export function initiatedXml(request, id) {
  return document(`<InitiateMultipartUploadResult><Bucket>${escapeXml(request.bucket)}</Bucket>` +
    `<Key>${shown(request, request.key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
}

export function completedXml(request, object) {
  return document(`<CompleteMultipartUploadResult><Location>${escapeXml(request.headers.host)}/${shown(request, request.key)}` +
    `</Location><Bucket>${escapeXml(request.bucket)}</Bucket><Key>${shown(request, request.key)}</Key>` +
    `<ETag>${escapeXml(object.etag)}</ETag></CompleteMultipartUploadResult>`);
}

export function uploadsXml(request, uploads) {
  const most = Math.min(+(request.value('max-uploads') ?? 1000), 1000);
  const prefix = request.value('prefix') ?? '';
  const keyMarker = request.value('key-marker') ?? '', idMarker = request.value('upload-id-marker') ?? '';
  const all = [...uploads]
    .filter((u) => u.key.startsWith(prefix))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id < b.id ? -1 : 1))
    .filter((u) => u.key > keyMarker || (u.key === keyMarker && idMarker !== '' && u.id > idMarker));
  const page = all.slice(0, most), last = page.at(-1);
  return document(`<ListMultipartUploadsResult><Bucket>${escapeXml(request.bucket)}</Bucket>` +
    `<KeyMarker>${escapeXml(keyMarker)}</KeyMarker><UploadIdMarker>${escapeXml(idMarker)}</UploadIdMarker>` +
    (all.length > page.length ? `<NextKeyMarker>${shown(request, last.key)}</NextKeyMarker>` +
                                `<NextUploadIdMarker>${last.id}</NextUploadIdMarker>` : '') +
    `<Prefix>${escapeXml(prefix)}</Prefix><MaxUploads>${most}</MaxUploads><IsTruncated>${all.length > page.length}</IsTruncated>` +
    page.map((u) => `<Upload><Key>${shown(request, u.key)}</Key><UploadId>${u.id}</UploadId>` +
                    `<Initiated>${new Date(u.initiated).toISOString()}</Initiated></Upload>`).join('') +
    '</ListMultipartUploadsResult>');
}

export const md5Hex = (bytes) => createHash('md5').update(bytes).digest('hex');
