// What ngx_module/ does with a callback, with Node and ioredis: verifies the token and the appId, reads the
// call id, appends one entry, answers after Redis has. Commands of one turn of the loop leave together
// (enableAutoPipelining), as they do in the module.
//
//   node server.js <its socket> <Redis' socket> <tokens file> <appIds file> <answer>
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const Redis = require('ioredis');

const [socket, redisSocket, tokensFile, appIdsFile, answer] = process.argv.slice(2);
const lines = (file) => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
const tokens = lines(tokensFile).map((token) => Buffer.from(token));
const appIds = new Set(lines(appIdsFile));
const answerHeaders = {
  'Content-Type': 'application/xml;charset=utf-8',
  'Content-Length': Buffer.byteLength(answer),
};
const redis = new Redis({ path: redisSocket, enableAutoPipelining: true });

function tokenAccepted(text) {
  const token = Buffer.from(text);
  let accepted = false;
  for (const candidate of tokens) {
    const equal = token.length === candidate.length && crypto.timingSafeEqual(token, candidate);
    accepted = equal || accepted;
  }
  return accepted;
}

function element(body, opening, closing) {
  const begin = body.indexOf(opening);
  if (begin < 0) return undefined;
  const end = body.indexOf(closing, begin);
  return end < 0 ? undefined : body.toString('latin1', begin + opening.length, end);
}

const field = (value, bound) => (value ? encodeURIComponent(value.slice(0, bound)) : '-');

function stop(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'text/plain' });
  response.end(text);
}

function take(request, response, body) {
  if (request.method !== 'POST') return stop(response, 405, 'refused\n');
  const mark = request.url.indexOf('?');
  const path = mark < 0 ? request.url : request.url.slice(0, mark);
  const query = mark < 0 ? '' : request.url.slice(mark + 1);
  if (!tokenAccepted(path.slice(path.lastIndexOf('/') + 1))) return stop(response, 403, 'refused\n');
  const app = element(body, '<appId>', '</appId>');
  if (app && !appIds.has(app)) return stop(response, 403, 'refused\n');
  request.call = element(body, '<callId>', '</callId>'); // would choose the partition

  const header =
    `v1 ${Date.now()} callback - ${field(request.headers['x-real-ip'], 64)} ${field(query, 32768)} ` +
    `${field(request.headers['content-type'], 256)}\n`;
  redis.xadd('cc:events:0', '*', 'e9', Buffer.concat([Buffer.from(header), body])).then(
    () => {
      response.writeHead(200, answerHeaders);
      response.end(answer);
    },
    () => stop(response, 503, 'not stored\n'),
  );
}

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => take(request, response, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
});
server.keepAliveTimeout = 0; // NGINX decides how long its connections live
server.listen(socket);
