// An Aliyun OSS bucket for tests; README.md tells what it does and what it does not.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { parseArgs } from 'node:util';
import { Control } from './control.mjs';
import { Faults } from './faults.mjs';
import { Journal } from './journal.mjs';
import { Service } from './service.mjs';
import { Shelf } from './shelf.mjs';

const text = (fallback) => ({ type: 'string', ...(fallback === undefined ? {} : { default: fallback }) });
const { values } = parseArgs({ options: {
  'port': text('0'), 'control-port': text('0'), 'data': text(), 'bucket': text(), 'region': text(),
  'access-key-id': text(), 'access-key-secret': text(), 'security-token': text(), 'journal': text(),
  'skew-limit': text('900'), 'md5': text('required'), 'addressing': text('both'), 'cert': text(), 'key': text(),
  'with-parent': { type: 'boolean', default: false },
} });
for (const name of ['data', 'bucket', 'region', 'access-key-id', 'access-key-secret'])
  if (!values[name]) fail(`--${name} is missing`);
if (!['required', 'checked', 'off'].includes(values.md5)) fail('--md5 is required, checked or off');
if (!['both', 'virtual', 'path'].includes(values.addressing)) fail('--addressing is both, virtual or path');
for (const name of ['port', 'control-port', 'skew-limit']) if (!/^\d+$/.test(values[name])) fail(`--${name} is a number`);

function fail(why) {
  console.error(`simulator.mjs: ${why}`);
  process.exit(2);
}

const options = { bucket: values.bucket, region: values.region, accessKeyId: values['access-key-id'],
                  accessKeySecret: values['access-key-secret'], securityToken: values['security-token'],
                  skewLimit: +values['skew-limit'], md5: values.md5, addressing: values.addressing };
if (values.journal) writeFileSync(values.journal, '');
const shelf = new Shelf(values.data), faults = new Faults(), journal = new Journal(values.journal);
const service = new Service(options, shelf, faults, journal);
const gate = makeGate();
const control = new Control(service, shelf, faults, journal, gate);
const controlServer = createServer((req, res) => void control.handle(req, res));
controlServer.listen(+values['control-port'], '127.0.0.1', async () => {
  const port = await gate.open();
  console.log(JSON.stringify({ port, control: controlServer.address().port }));
});
if (values['with-parent']) {
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
}

/** The service's port: shut, a connection to it is refused by the kernel; open again, it is the same port. */
function makeGate() {
  const sockets = new Set();
  let port = +values.port, server = null;
  const make = () => {
    const settings = { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 60000 };
    const handler = (req, res) => void service.handle(req, res);
    const made = values.cert
      ? createTlsServer({ ...settings, cert: readFileSync(values.cert), key: readFileSync(values.key) }, handler)
      : createServer(settings, handler);
    made.on('connection', (socket) => {
      if (faults.next(null)) return void socket.resetAndDestroy();
      journal.connected(socket);
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    });
    return made;
  };
  const disconnect = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    disconnect,
    open: async () => {
      if (server) return port;
      const made = make();
      await new Promise((done, failed) => made.once('error', failed).listen(port, '127.0.0.1', done));
      port = made.address().port;
      server = made;
      return port;
    },
    shut: async () => {
      if (!server) return;
      const closed = new Promise((done) => server.close(done));
      server = null;
      disconnect();
      await closed;
    },
  };
}
